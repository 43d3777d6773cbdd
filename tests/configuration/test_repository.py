"""What is read of a repository: from the commit of the base branch, and nothing stops at what is wrong in it."""

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from app.configuration.repository import Repository, read_repository
from app.git.refusals import GitRefused
from app.projects.rows import ProjectConfig, ProjectRow
from app.runners.rules import Rules
from tests.git.repositories import Content, commit, make_repository, user, write

GOOD = {
    "maxTurns": 20,
    "allowedTools": ["Read", "Edit"],
    "permissions": {"deny": ["Read(.env)"]},
    "sandbox": "required",
}


def project_at(path: Path, **changes: object) -> ProjectRow:
    known = {"id": "p", "name": "p", "path": str(path), "description": None, "config": ProjectConfig()}
    return ProjectRow(max_concurrent_agents=3, **{**known, **changes})  # type: ignore[arg-type]


async def read(path: Path, files: Mapping[str, Content], **changes: object) -> Repository:
    make_repository(path, {"README.md": "# Sample\n", **files})
    return await read_repository(project_at(path, **changes))


def notes(found: Repository) -> str:
    return "\n".join(f"{note.file}: {note.text}" for note in found.notes)


async def test_everything_that_it_says_counts_with_file_and_commit(tmp_path: Path) -> None:
    found = await read(
        tmp_path / "r",
        {
            ".claude/config.json": json.dumps(GOOD),
            ".claude/settings.json": "not looked at",
            ".claude/prompts/task.md": "Please: {{task.title}}\r\n\r\n{{task.description}}\n",
            ".claude/skills/x/SKILL.md": "Another program's.",
            "CLAUDE.md": "\ufeff# Rules\n",
        },
    )
    document, prompt = found.layers
    assert document.values == {"maxTurns": 20, "allowedTools": ("Read", "Edit"), "sandbox": "required"}
    assert document.rules == Rules(deny=("Read(.env)",))
    assert prompt.prompts == {"task": "Please: {{task.title}}\n\n{{task.description}}"}
    head = user(tmp_path / "r", "rev-parse", "HEAD")
    assert [(each.source.name, each.source.commit) for each in found.layers] == [
        (".claude/config.json", head),
        (".claude/prompts/task.md", head),
    ]
    assert found.instructions is not None
    assert (found.instructions.source.name, found.instructions.text) == ("CLAUDE.md", "# Rules")
    assert notes(found) == ".claude/settings.json: It is ignored, since .claude/config.json is there."


async def test_only_the_commit_of_the_base_branch_is_read(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "r", {".claude/config.json": '{"maxTurns": 20}'})
    user(root, "checkout", "-q", "-b", "agent/x")
    commit(root, {".claude/config.json": '{"maxTurns": 900}', "CLAUDE.md": "Obey."})
    write(root, {".claude/config.json": '{"maxTurns": 1000}'})
    found = await read_repository(project_at(root))
    assert ([layer.values for layer in found.layers], found.instructions) == ([{"maxTurns": 20}], None)
    assert [layer.values for layer in (await read_repository(project_at(root), "agent/x")).layers] == [
        {"maxTurns": 900}
    ]
    with pytest.raises(GitRefused, match="There is no branch gone"):
        await read_repository(project_at(root), "gone")


async def test_a_project_in_a_folder_has_its_own(tmp_path: Path) -> None:
    files = {".claude/config.json": '{"maxTurns": 1}', "web/.claude/config.json": '{"maxTurns": 2}', "web/x": ""}
    root = make_repository(tmp_path / "r", files)
    found = await read_repository(project_at(root / "web"))
    assert [(layer.values, layer.source.name) for layer in found.layers] == [({"maxTurns": 2}, ".claude/config.json")]
    assert (await read_repository(project_at(root, config_path="web/.claude"))).layers[0].values == {"maxTurns": 2}


async def test_a_repository_without_any_says_nothing(tmp_path: Path) -> None:
    found = await read(tmp_path / "r", {})
    assert (found.layers, found.instructions, found.notes, found.branch) == ((), None, (), "main")


async def test_settings_of_claude_code_are_understood(tmp_path: Path) -> None:
    settings = {
        "model": "opus",
        "permissions": {
            "allow": ["Bash(npm run test:*)", "WebFetch(domain:example.com)", "Read(/docs/**)", "Read(/.env)"],
            "ask": ["Bash(git push:*)", "Edit(//etc/**)"],
            "deny": ["Read(./.env)", "WebFetch(domain:evil.example)", "Edit(/migrations/**)"],
            "defaultMode": "acceptEdits",
        },
        "hooks": {},
        "env": {"FOO": "1"},
    }
    found = await read(tmp_path / "r", {".claude/settings.json": json.dumps(settings)})
    (layer,) = found.layers
    assert layer.values == {"model": "opus"}
    assert layer.rules == Rules(
        ("Bash(npm run test:*)", "WebFetch(https://example.com/*)", "Read(docs/**)"),
        ("Bash(git push:*)", "Edit(/etc/**)"),
        ("Read(.env)", "WebFetch(*evil.example*)", "Edit(migrations/**)"),
    )
    told = notes(found)
    assert "Read(/.env) in permissions.allow is ignored: .env would be allowed in every folder" in told
    assert "defaultMode in permissions is ignored: it is Claude Code's own, and is decided here." in told
    for name in ("hooks", "env"):
        assert f"{name} is ignored: it is a setting of Claude Code, which is not used here." in told


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "The whole file is ignored: it is not valid JSON"),
        ("", "The whole file is ignored: it is not valid JSON"),
        (b'{"maxTurns": "\xff"}', "The whole file is ignored: it is not valid JSON"),
        ("[" * 60_000, "The whole file is ignored: it is not valid JSON"),
        ("[1]", "The whole file is ignored: a JSON object is expected."),
        ('{"x": "' + "y" * 70_000 + '"}', "It is ignored: it has more than 64 KiB."),
        ('{"maxTurn": 3}', "maxTurn is ignored: no such setting is known."),
        ('{"a\\u202eb": 3}', "is ignored: no such setting is known."),
        ('{"maxTurns": "3"}', "maxTurns is ignored: a whole number from 1 to 1,000 is expected."),
        ('{"maxTurns": true}', "maxTurns is ignored: a whole number from 1 to 1,000 is expected."),
        ('{"maxTurns": 0}', "maxTurns is ignored: a whole number from 1 to 1,000 is expected."),
        ('{"memoryLimitMb": 10}', "memoryLimitMb is ignored: a whole number from 256 to 4,194,304 is expected."),
        ('{"model": "  "}', "model is ignored: a text of 1 to 200 characters is expected."),
        ('{"model": {"id": "x"}}', "model is ignored: a text of 1 to 200 characters is expected."),
        ('{"sandbox": "off"}', 'sandbox is ignored: a repository can say "required" and nothing else.'),
        ('{"sandbox": {"enabled": true}}', 'sandbox is ignored: a repository can say "required" and nothing else.'),
        ('{"allowedTools": "Read"}', "allowedTools is ignored: a list of texts is expected."),
        ('{"permissions": []}', "permissions is ignored: an object with allow, ask and deny is expected."),
        ('{"permissions": {"never": []}}', "never in permissions is ignored: only allow, ask and deny are known."),
        ('{"permissions": {"deny": [1]}}', "permissions.deny is ignored: a list of texts is expected."),
        ('{"permissions": {"deny": ["Bash("]}}', "Bash( in permissions.deny is ignored: write a tool's name"),
    ],
)
async def test_what_is_wrong_is_told_and_the_rest_counts(tmp_path: Path, content: Content, sentence: str) -> None:
    found = await read(tmp_path / "r", {".claude/config.json": content, "CLAUDE.md": "Rules."})
    assert sentence in notes(found)
    assert "\u202e" not in notes(found)
    assert [layer.values for layer in found.layers] in ([], [{}])
    assert found.instructions is not None


async def test_beside_a_wrong_entry_the_others_count(tmp_path: Path) -> None:
    document = {
        "maxTurns": 0,
        "timeoutMinutes": 5,
        "allowedTools": ["Read", "(x", "Edit"],
        "permissions": {"ask": ["Bash", ")"]},
    }
    found = await read(tmp_path / "r", {".claude/config.json": json.dumps(document)})
    (layer,) = found.layers
    assert (layer.values, layer.rules.ask) == ({"timeoutMinutes": 5, "allowedTools": ("Read", "Edit")}, ("Bash",))
    assert len(found.notes) == 3


@pytest.mark.parametrize("what", ["link", "folder link", "binary", "wrong template", "unknown prompt", "file"])
async def test_what_is_no_plain_text_is_ignored(tmp_path: Path, what: str) -> None:
    root = make_repository(tmp_path / "r")
    (tmp_path / "secret.json").write_text('{"maxTurns": 5}')
    match what:
        case "link":
            (root / ".claude").mkdir()
            (root / ".claude" / "config.json").symlink_to(tmp_path / "secret.json")
            sentence = ".claude/config.json: It is ignored: a file is expected, and it is a link."
        case "folder link":
            (root / ".claude").symlink_to(tmp_path)
            sentence = ".claude: It is ignored: a folder is expected, and it is a link."
        case "file":
            write(root, {".claude": "no folder"})
            sentence = ".claude: It is ignored: a folder is expected, and it is a file."
        case "binary":
            write(root, {"CLAUDE.md": b"\x00\x01", ".claude/prompts/rejection.md": b"{{rejection.reason}} \xff"})
            sentence = "CLAUDE.md: It is ignored: a text in UTF-8 is expected."
        case "wrong template":
            write(root, {".claude/prompts/task.md": "{{task.title}}\n{{task.nothing}}"})
            sentence = ".claude/prompts/task.md: It is ignored. Line 2: there is no {{task.nothing}}."
        case _:
            write(root, {".claude/prompts/fix.md": "{{task.title}}"})
            sentence = ".claude/prompts/fix.md: It is ignored: only task.md, rejection.md, conflict.md are prompts."
    commit(root, {})
    found = await read_repository(project_at(root))
    assert sentence in notes(found)
    assert (found.layers, found.instructions) == ((), None)


async def test_a_flood_of_files_and_of_sentences_is_bounded(tmp_path: Path) -> None:
    many = {f".claude/prompts/{'x' * 60}{n}.md": "x" for n in range(200)}
    wrong = json.dumps({f"key{n}": 1 for n in range(200)})
    found = await read(tmp_path / "r", {".claude/config.json": wrong, **many})
    assert len(found.notes) <= 110
    assert "150 more things are ignored." in notes(found)
    assert len(msgspec.json.encode(found)) < 64 * 1024
