"""Which calls an agent may make."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runners.permissions import Permissions, Rules, Verdict

HERE = Path("/srv/worktree")


@pytest.mark.parametrize(
    ("allowed", "tool", "given"),
    [
        (("Read",), "Read", {"file_path": "/etc/hosts"}),
        (("Edit",), "Edit", {"file_path": "/srv/worktree/a.py"}),
        (("Edit",), "Write", {"file_path": "new.py"}),
        (("Edit",), "NotebookEdit", {"notebook_path": "/srv/worktree/n.ipynb"}),
        (("Bash",), "Bash", {"command": "rm -rf build; ls | wc"}),
        (("Bash",), "TaskStop", {}),
        (("Bash(pytest:*)",), "Bash", {"command": "pytest -q tests"}),
        (("Bash(pytest:*)",), "Bash", {"command": "pytest"}),
        (("Bash(npm run *)",), "Bash", {"command": "npm run build"}),
        (("Bash(git status)", "Bash(ls)"), "Bash", {"command": "ls"}),
        (("Bash(ls)", "Bash"), "Bash", {"command": "anything"}),
    ],
)
def test_allowed(allowed, tool, given):
    assert Permissions(allowed, HERE).decide(tool, given).decision == "allow"


@pytest.mark.parametrize(
    ("allowed", "tool", "given"),
    [
        ((), "Read", {"file_path": "a"}),
        (("Read",), "Write", {"file_path": "a"}),
        (("Write",), "Edit", {"file_path": "a"}),
        (("read",), "Read", {"file_path": "a"}),
        (("",), "Bash", {"command": "ls"}),
        (("Edit",), "Write", {"file_path": "/srv/worktree-of-others/a"}),
        (("Edit",), "Edit", {"file_path": "/srv/worktree/../main/a"}),
        (("Bash(pytest:*)",), "Bash", {"command": "pytestx"}),
        (("Bash(pytest:*)",), "Bash", {"command": "pytest; rm -rf /"}),
        (("Bash(pytest:*)",), "Bash", {"command": "pytest $(rm -rf /)"}),
        (("Bash(pytest:*)",), "Bash", {"command": "pytest\nrm -rf /"}),
        (("Bash(pytest:*)",), "TaskOutput", {}),
    ],
)
def test_refused(allowed, tool, given):
    verdict = Permissions(allowed, HERE).decide(tool, given)
    assert verdict.decision == "deny"
    assert verdict.why


def test_the_model_is_shown_only_what_is_allowed():
    assert Permissions(("Read", "Edit"), HERE).tools == ["Edit", "MultiEdit", "NotebookEdit", "Read", "Write"]


ALL = ("Read", "Edit", "Bash", "Glob", "Grep", "mcp__github__create_issue")


@pytest.mark.parametrize(
    ("rule", "tool", "given"),
    [
        ("Bash", "Bash", {"command": "ls"}),
        ("*", "Grep", {"pattern": "x"}),
        ("mcp__github__*", "mcp__github__create_issue", {"title": "x"}),
        ("mcp__github__create_issue(*secret*)", "mcp__github__create_issue", {"title": "a secret thing"}),
        ("Bash(git push*)", "Bash", {"command": "git push origin main"}),
        ("Bash(git push:*)", "Bash", {"command": "git  push"}),
        ("Bash(git * --force)", "Bash", {"command": "git push origin --force"}),
        ("Bash(git push*)", "Bash", {"command": "cd x && git push"}),
        ("Bash(git push*)", "Bash", {"command": "echo `git push`"}),
        ("Bash(git push*)", "Bash", {"command": "true | (git push)"}),
        ("Edit(migrations/**)", "Edit", {"file_path": "migrations/0001.py"}),
        ("Edit(migrations/**)", "Write", {"file_path": "/srv/worktree/migrations/deep/0001.py"}),
        ("Edit(migrations/**)", "Edit", {"file_path": "src/../migrations/0001.py"}),
        ("Edit(migrations)", "Edit", {"file_path": "migrations/0001.py"}),
        ("Read(.env)", "Read", {"file_path": "app/.env"}),
        ("Read(.env)", "Read", {"file_path": ".ENV"}),
        ("Read(/etc/**)", "Read", {"file_path": "/etc/hosts"}),
    ],
)
def test_a_rule_that_could_mean_the_call_asks_or_refuses(rule, tool, given):
    asked = Permissions(ALL, HERE, Rules(ask=(rule,))).decide(tool, given)
    assert (asked.decision, asked.rule, asked.asking) == ("ask", rule, (rule,))
    assert rule in asked.why
    assert Permissions(ALL, HERE, Rules(ask=(rule,), deny=(rule,))).decide(tool, given).decision == "deny"
    assert Permissions((), HERE, Rules(ask=(rule,))).decide(tool, given).decision == "deny"


@pytest.mark.parametrize(
    ("rule", "tool", "given"),
    [
        ("Read", "Bash", {"command": "ls"}),
        ("Write", "Edit", {"file_path": "a"}),
        ("Bash(git push*)", "Bash", {"command": "git pull"}),
        ("Edit(migrations/**)", "Edit", {"file_path": "src/migrations/0001.py"}),
        ("Edit(migrations/*.py)", "Edit", {"file_path": "migrations/deep/0001.py"}),
        ("Read(.env)", "Read", {"file_path": ".env.example"}),
        ("Read(/etc/**)", "Read", {"file_path": "etc/hosts"}),
    ],
)
def test_a_rule_of_something_else_does_not(rule, tool, given):
    assert Permissions(ALL, HERE, Rules(ask=(rule,), deny=(rule,))).decide(tool, given) == Verdict("allow")


def test_what_the_rules_of_a_tool_do_not_allow_is_asked_for():
    rules = Rules(allow=("Bash(git status)", "Read"))
    assert Permissions(ALL, HERE, rules).decide("Bash", {"command": "git status"}).decision == "allow"
    assert Permissions(ALL, HERE, rules).decide("Bash", {"command": "git log"}).decision == "ask"
    assert Permissions(ALL, HERE, rules).decide("Bash", {"command": "git status; rm x"}).decision == "ask"
    assert Permissions(ALL, HERE, rules).decide("Edit", {"file_path": "a"}).decision == "allow"


def test_a_link_is_held_against_the_rule_where_it_leads(tmp_path):
    (tmp_path / "migrations").mkdir()
    (tmp_path / "innocent").symlink_to("migrations")
    permissions = Permissions(ALL, tmp_path, Rules(ask=("Edit(migrations/**)",)))
    assert permissions.decide("Edit", {"file_path": "innocent/0001.py"}).decision == "ask"


def test_a_rule_about_reading_a_path_is_one_for_searching_in_it():
    permissions = Permissions(ALL, HERE, Rules(deny=("Read(secrets/**)",)))
    assert permissions.decide("Grep", {"pattern": "x", "path": "secrets"}).decision == "deny"
    assert permissions.decide("Grep", {"pattern": "x"}).decision == "allow"


TEXTS = [
    "Bash",
    "Edit",
    "Read",
    "*",
    "Bash(git push*)",
    "Bash(git *)",
    "Bash(ls)",
    "Edit(a/**)",
    "Write(a/b)",
    "Read(b)",
]
CALLS = [
    *(("Bash", {"command": text}) for text in ("ls", "git push", "git pull", "ls; git push", "$X", "rm 'x")),
    *((tool, {"file_path": path}) for tool in ("Edit", "Write", "Read") for path in ("a/b", "b", "../b", "a/../b")),
]
some = st.lists(st.sampled_from(TEXTS), max_size=3).map(tuple)
call = st.sampled_from(CALLS)
RANK = {"allow": 0, "ask": 1, "deny": 2}


@given(some, some, some, some, call)
def test_refusing_comes_before_asking_and_that_before_allowing(ceiling, allow, ask, deny, made):
    def decide(**rules):
        return Permissions(ceiling, HERE, Rules(**rules)).decide(*made).decision

    bare, whole = decide(), decide(allow=allow, ask=ask, deny=deny)
    if bare == "deny":
        assert whole == "deny", "nothing allows what is above the ceiling"
    elif decide(deny=deny) == "deny":
        assert whole == "deny", "nothing allows what a rule refuses"
    elif decide(ask=ask) == "ask":
        assert whole == "ask", "nothing lets pass what a rule asks for"
    else:
        assert whole == decide(allow=allow) != "deny"


@given(some, some, some, some, call, st.sampled_from(TEXTS))
def test_one_more_rule_that_asks_or_refuses_never_lets_more_pass(ceiling, allow, ask, deny, made, more):
    def rank(ask, deny):
        return RANK[Permissions(ceiling, HERE, Rules(allow, ask, deny)).decide(*made).decision]

    assert rank((*ask, more), deny) >= rank(ask, deny)
    assert rank(ask, (*deny, more)) >= rank(ask, deny)


@given(some, some, some, some, call)
def test_what_is_asked_for_names_a_rule_and_says_why(ceiling, allow, ask, deny, made):
    verdict = Permissions(ceiling, HERE, Rules(allow, ask, deny)).decide(*made)
    assert bool(verdict.why) is (verdict.decision != "allow")
    assert verdict.asking == () or verdict.rule == verdict.asking[0]
    assert bool(verdict.asking) is (verdict.decision == "ask")


def test_a_stored_rule_that_cannot_be_read_allows_nothing_and_refuses_or_asks_for_everything(tmp_path):
    unreadable = ("Bash(git push",)
    assert Permissions(("Bash",), tmp_path, Rules(deny=unreadable)).decide("Bash", {"command": "ls"}).decision == "deny"
    assert Permissions(("Bash",), tmp_path, Rules(ask=unreadable)).decide("Bash", {"command": "ls"}).decision == "ask"
    assert Permissions(unreadable, tmp_path).decide("Bash", {"command": "git push"}).decision == "deny"


@pytest.mark.parametrize("pattern", ['rm "a b"*', "rm 'a b'*", "rm a b*", "rm  a  b*"])
def test_quotes_and_blanks_in_a_pattern_mean_the_same_words(tmp_path, pattern):
    rules = Rules(deny=(f"Bash({pattern})",))
    verdict = Permissions(("Bash",), tmp_path, rules).decide("Bash", {"command": 'cd x && rm "a b" c'})
    assert verdict.decision == "deny"


def test_every_path_of_a_call_must_lie_inside(tmp_path):
    permissions = Permissions(("Edit",), tmp_path)
    assert permissions.decide("Edit", {"paths": ["a.txt", "b.txt"]}).decision == "allow"
    assert permissions.decide("Edit", {"paths": ["a.txt", "/etc/passwd"]}).decision == "deny"
