"""Merges are signed where the repository wants it, with a real key; and the authors of what is squashed stay named."""

import subprocess
from pathlib import Path

import pytest

from app.git.commits import Identity, wants_signing
from app.git.crediting import authors_of, credited
from app.git.merging import METHODS, Method, merge_commit
from app.git.refusals import GitRefused
from app.git.undoing import revert_commit
from tests.git.pictures import picture
from tests.git.repositories import ADA, commit, make_repository, user


def sign_with(root: Path, key: Path) -> None:
    for name, value in {
        "gpg.format": "ssh",
        "user.signingKey": str(key),
        "commit.gpgsign": "true",
        "gpg.ssh.allowedSignersFile": str(root.parent / "signers"),
    }.items():
        user(root, "config", name, value)


@pytest.fixture
def signing(tmp_path: Path) -> Path:
    """A repository that signs with an SSH key, and a branch `side` beside its main."""
    root = make_repository(tmp_path / "p", {"a": "1\n"})
    user(root, "checkout", "-q", "-b", "side")
    commit(root, {"b": "1\n"}, "One")
    commit(root, {"c": "1\n"}, "Two")
    user(root, "checkout", "-q", "main")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (tmp_path / "signers").write_text(f"* {key.with_suffix('.pub').read_text()}")
    sign_with(root, key)
    return root


async def make(root: Path, method: Method) -> str:
    base, head = user(root, "rev-parse", "main", "side").split()
    return await merge_commit(root, method, base, head, "Merge", author=ADA, sign=await wants_signing(root))


@pytest.mark.parametrize("method", METHODS)
async def test_every_commit_of_a_merge_is_signed(signing: Path, method: Method) -> None:
    new = await make(signing, method)
    made = user(signing, "log", "--format=%G? %s", new, "^main", "^side")
    assert made.splitlines() == {"merge": ["G Merge"], "squash": ["G Merge"], "rebase": ["G Two", "G One"]}[method]


async def test_an_undo_is_signed_too(signing: Path) -> None:
    old, new = user(signing, "rev-parse", "main"), await make(signing, "squash")
    revert = await revert_commit(signing, new, old, new, "Revert", author=ADA, sign=True)
    assert user(signing, "log", "-1", "--format=%G?", revert) == "G"


@pytest.mark.parametrize("method", METHODS)
async def test_a_key_that_does_not_work_refuses_with_gits_words(signing: Path, method: Method) -> None:
    sign_with(signing, signing.parent / "no such key")
    before = picture(signing)
    with pytest.raises(GitRefused) as refused:
        await make(signing, method)
    assert refused.value.reason == "signing_failed"
    assert "no such key" in refused.value.message
    assert picture(signing) == before


async def test_only_the_repositorys_own_configuration_decides(signing: Path, tmp_path: Path) -> None:
    assert await wants_signing(signing)
    user(signing, "config", "commit.gpgsign", "no")
    assert not await wants_signing(signing)
    assert not await wants_signing(make_repository(tmp_path / "plain"))


async def test_a_squash_names_those_whose_commits_it_melts(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "p", {"a": "1\n"})
    user(root, "checkout", "-q", "-b", "side")
    for name, email in (("Bot <1>", "bot@x"), ("Ada L.", ADA.email), ("Bot <1>", "bot@x"), ("Été", "été@x")):
        user(root, "commit", "-q", "--allow-empty", "-m", name, f"--author={name.replace('<1>', '1')} <{email}>")
    commit(root, {"b": "1\n"}, "By Una")
    base, head = user(root, "rev-parse", "main", "side").split()
    new = await merge_commit(root, "squash", base, head, "Title\n\nBody", author=ADA)
    assert user(root, "log", "-1", "--format=%an|%B", new).splitlines() == [
        "Ada Lovelace|Title",
        "",
        "Body",
        "",
        "Co-authored-by: Bot 1 <bot@x>",
        "Co-authored-by: Été <été@x>",
        "Co-authored-by: Una User <una@example.org>",
    ]
    found = [each.email for each in await authors_of(root, base, head)]
    assert found == ["bot@x", ADA.email, "été@x", "una@example.org"]


def test_trailers_that_are_there_are_neither_repeated_nor_torn_apart() -> None:
    bot = Identity("Bot", "bot@x")
    assert credited("Title", [bot, ADA], ADA) == "Title\n\nCo-authored-by: Bot <bot@x>"
    signed = "Title\n\nSigned-off-by: Ada <a@x>"
    assert credited(signed, [bot], ADA) == f"{signed}\nCo-authored-by: Bot <bot@x>"
    assert credited(f"{signed}\nco-authored-by: bot <BOT@x>", [bot], ADA) == f"{signed}\nco-authored-by: bot <BOT@x>"
    assert credited("fix: title", [bot], ADA) == "fix: title\n\nCo-authored-by: Bot <bot@x>"
