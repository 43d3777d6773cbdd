"""No secret comes into the database: not a value of the environment, not what looks like one, not in two pieces."""

import time

import pytest

from app.processes.redacting import LONGEST, Redactor

LETTERS = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1eF3hJ5kL7nP9rS1uV3xY5"
#: A private key's lines, of which no part is a real key.
LINES = [(LETTERS * 2)[n : n + 64] for n in range(12)]
KEY = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *LINES, "tQ==", "-----END RSA PRIVATE KEY-----"])

SHAPES = {
    "GitHub token": ["ghp_" + LETTERS[:36], "ghs_" + LETTERS[:40], "github_pat_11" + LETTERS[:20] + "_" + LETTERS],
    "GitLab token": ["glpat-" + LETTERS[:20]],
    "Slack token": ["xoxb-123456789012-" + LETTERS[:24], "xapp-1-A0" + LETTERS[:30]],
    "Slack webhook": ["hooks.slack.com/services/T00000000/B00000000/" + LETTERS[:24]],
    "AWS key": ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"],
    "API key": ["sk-ant-api03-" + LETTERS, "sk-proj-" + LETTERS, "sk-" + LETTERS[:48], "sk-or-v1-" + "0a1b2c3d" * 8],
    "Stripe key": ["sk_live_" + LETTERS[:24]],
    "Google key": ["AIza" + LETTERS[:35]],
    "npm token": ["npm_" + LETTERS[:36]],
    "PyPI token": ["pypi-AgEIcHlwaS5vcmc" + LETTERS],
    "JSON web token": [f"eyJhbGciOiJIUzI1NiJ9.eyJ{LETTERS[:30]}.{LETTERS[:43]}"],
    "private key": [KEY, KEY.replace("\n", "\\n"), KEY.replace("\n", "\n     7→"), KEY.replace("\n", "\n+")],
}
CASES = [(name, secret) for name, secrets in SHAPES.items() for secret in secrets]

#: A text, with the part that must go marked by « and ».
ASSIGNED = {
    "authorization": "curl -H 'Authorization: Bearer «abc.DEF-123_456»' https://x",
    "authorization in JSON": '{"Authorization": "Basic «dXNlcjpwYXNzd29yZA==»"}',
    "bearer token": f"sent Bearer «{LETTERS[:24]}» and got 401",
    "password in a URL": "postgres://mara:«s3cr3t!»@db.example/x",
    "password": "DB_PASSWORD=«correct-horse»\nnext=1",
    "password in quotes": '"password": "«hunter22hunter»",',
    "password in an address": "GET /x?access_token=«abc123def456»&page=2",
    "AWS secret key": f"aws_secret_access_key = «{LETTERS[:40]}»",
}

ORDINARY = [
    "the task-force did a risk-based review of sk-folding-cube and desk-lamps",
    "password: str = Field(min_length=8)",
    'password = os.environ["DB_PASSWORD"]',
    "PASSWORD=$(cat secret.txt) API_KEY=<your key> TOKEN=${TOKEN}",
    "DB_PASSWORD=os.environ TOKEN=get_token(user) MAX_TOKEN=16000000",
    "postgres://user:$PASSWORD@host/db and http://host:8080/path@2x",
    "-----BEGIN PRIVATE KEY----- is how it begins, and -----END PRIVATE KEY----- how it ends",
    "npm_config_registry=https://registry.example npm_package_devDependencies_typescript_eslint",
    "commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
    "Bearer of good news, Authorization: required",
    'token = tokens["access_token"]; secret = "a secret"',
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "[redacted: GitHub token] and TOKEN=[redacted: password]",
]


@pytest.mark.parametrize(("name", "secret"), CASES)
def test_what_looks_like_a_secret_is_cut_and_named(name: str, secret: str) -> None:
    cleaned = Redactor({}).counted(f"before {secret} after")
    assert (cleaned.value, cleaned.cut) == (f"before [redacted: {name}] after", 1)
    assert Redactor({}).counted(cleaned.value).cut == 0


@pytest.mark.parametrize("text", ASSIGNED.values(), ids=ASSIGNED)
def test_what_is_assigned_to_a_secret_name_is_cut(text: str) -> None:
    before, secret, after = text.replace("«", "\0").replace("»", "\0").split("\0")
    cleaned = Redactor({}).counted(before + secret + after)
    assert cleaned.value.startswith(before + "[redacted: ")
    assert cleaned.value.endswith("]" + after)
    assert cleaned.cut == 1


@pytest.mark.parametrize("text", ORDINARY)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor({}).text(text) == text


def test_the_end_of_a_key_may_be_missing() -> None:
    cut = KEY[: KEY.index(LINES[8])].rstrip()
    assert Redactor({}).text(f"{cut}\n… cut here") == "[redacted: private key]\n… cut here"


def test_a_document_is_counted_as_a_whole() -> None:
    token = SHAPES["npm token"][0]
    cleaned = Redactor({}).counted({token: [f"a {token}", {"b": (token, 5, None)}]})
    mark = "[redacted: npm token]"
    assert (cleaned.value, cleaned.cut) == ({mark: [f"a {mark}", {"b": [mark, 5, None]}]}, 3)


ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/home/mara-lindqvist",
    "TERM": "xterm-256color",
    "AGENTPANE_TASK_ID": "k7f2q9zzzzzzzzzz",
    "ANTHROPIC_API_KEY": "of-a-test-with-words",
    "HTTPS_PROXY": "http://mara:pw@proxy.example:3128",
    "REGISTRY": "https://packages.example/simple",
    "LOCAL": "http://127.0.0.1:4000",
    "NODE_ENV": "production",
    "JAVA_HOME": "/usr/bin",
    "BUILD_NUMBER": "2026112500",
    "PIN": "1234567",
    "CERTIFICATE": f"first line\n{LINES[0]}\n{LINES[1]}\n",
}


class TestTheEnvironment:
    """Every value that agents are given, but what everybody may read."""

    @pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "HTTPS_PROXY", "REGISTRY", "CERTIFICATE"])
    def test_a_value_is_cut_and_its_variable_named(self, name: str) -> None:
        text = f"<{ENVIRONMENT[name].strip()}>"
        assert Redactor(ENVIRONMENT).text(text) == f"<[redacted: {name}]>"

    @pytest.mark.parametrize(
        "name", ["PATH", "HOME", "TERM", "AGENTPANE_TASK_ID", "LOCAL", "NODE_ENV", "JAVA_HOME", "BUILD_NUMBER", "PIN"]
    )
    def test_a_value_that_texts_are_full_of_stays(self, name: str) -> None:
        text = f"<{ENVIRONMENT[name]}>"
        assert Redactor(ENVIRONMENT).text(text) == text

    def test_a_long_line_of_a_value_is_cut_alone(self) -> None:
        text = f" 3\t{LINES[1]}\nfirst line"
        assert Redactor(ENVIRONMENT).text(text) == " 3\t[redacted: CERTIFICATE]\nfirst line"

    def test_of_two_values_the_longer_one_is_cut(self) -> None:
        environment = {"A_KEY": "long-secret", "B_KEY": "long-secret-that-goes-on"}
        assert Redactor(environment).text("long-secret-that-goes-on") == "[redacted: B_KEY]"


class TestPieces:
    """A secret that comes in two pieces, or character by character."""

    @pytest.mark.parametrize("size", [1, 3, 10, 50])
    @pytest.mark.parametrize(("name", "secret"), [*CASES, ("ENV_KEY", "of-a-test-with-words")])
    def test_a_secret_in_pieces_is_cut_as_one(self, name: str, secret: str, size: int) -> None:
        text = f"It says {secret} here, and so on"
        assert in_pieces(text, size) == f"It says [redacted: {name}] here, and so on"

    @pytest.mark.parametrize("text", ASSIGNED.values(), ids=ASSIGNED)
    def test_so_is_what_is_assigned(self, text: str) -> None:
        whole = text.replace("«", "").replace("»", "")
        assert in_pieces(whole, 2) == Redactor({}).text(whole)

    def test_ordinary_text_is_held_back_by_some_letters_at_most(self) -> None:
        text = "The password of the tasks is in the key store; nothing is pressing, said the bearer of it. " * 20
        held, longest = "", 0
        for at in range(0, len(text), 7):
            _, held = Redactor({}).split(held + text[at : at + 7])
            longest = max(longest, len(held))
        assert longest < 40

    def test_a_word_that_never_ends_is_not_held_for_ever(self) -> None:
        held = ""
        for _ in range(20):
            _, held = Redactor({}).split(held + "ghp_" * 500)
            assert len(held) <= 6 * 1024


@pytest.mark.parametrize("overhang", [1, 10, 30])
def test_a_secret_at_the_end_of_what_is_kept_goes_with_it(overhang: int) -> None:
    token = SHAPES["GitHub token"][0]
    text = "x " * (LONGEST // 2 - 20) + token + " and more"
    kept = Redactor({}).text("y" * (LONGEST - text.index(token) - overhang) + " " + text)
    assert "ghp_" not in kept
    assert "more characters were not kept]" in kept


HOSTILE = {
    "anchors": "ghp_" * 1_250_000,
    "unfinished keys": "-----BEGIN PRIVATE KEY-----" * 185_000,
    "keys without an end": ("-----BEGIN PRIVATE KEY-----\n" + LINES[0] + "\n") * 50_000,
    "tokens without dots": "eyJ" * 1_700_000,
    "dots": "eyJaaaaaaaaaa." * 350_000,
    "addresses": "://a:" * 1_000_000,
    "long addresses": ("://" + "a" * 200) * 25_000,
    "assignments": 'password="' * 500_000,
    "variables": "PASSWORD=" * 550_000,
    "headers": "authorization: bearer " * 230_000,
    "one word": "a" * 5_000_000,
    "blanks": "bearer" + " " * 5_000_000,
    "figures and letters": LETTERS * 100_000,
    "dashes": "sk-" * 1_700_000,
    "slashes": "hooks.slack.com/services/" * 200_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_five_megabytes_of_the_worst_take_little_longer_than_of_words(text: str) -> None:
    """Time grows with the length: twice the text takes about twice as long, and never more than seconds."""
    assert 4_500_000 < len(text) < 5_600_000
    clean = Redactor({"A_KEY": "a" * 40, "B_KEY": "of-a-test-with-words"})
    strings = [text[at : at + LONGEST] for at in range(0, len(text), LONGEST)]
    began = time.perf_counter()
    clean.counted(strings)
    assert time.perf_counter() - began < 5


def in_pieces(text: str, size: int) -> str:
    """`text` as it is stored when it comes `size` characters at a time."""
    clean = Redactor({"ENV_KEY": "of-a-test-with-words"})
    stored, held = "", ""
    for at in range(0, len(text), size):
        piece, held = clean.split(held + text[at : at + size])
        stored += piece.value
    return stored + clean.text(held)
