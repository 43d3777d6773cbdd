"""Whatever a shell would run of a command is found in it."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runners.shell import commands_of
from app.runners.wildcards import ANYTHING, could_match, matches


def could_run(pattern: str, command: str) -> bool:
    """As a rule that asks or refuses would say."""
    found = commands_of(command)
    return found is None or any(could_match(pattern, each) for each in found)


@pytest.mark.parametrize(
    "command",
    [
        "git push",
        "  git   push origin main",
        "cd x && git push",
        "true; git push",
        "true & git push",
        "a | git push",
        "a\ngit push",
        "(git push)",
        "{ git push; }",
        "echo $(git push)",
        "echo `git push`",
        'echo "$(git push)"',
        "echo ${x:-$(git push)}",
        "cat <(git push)",
        "X=1 Y=2 git push",
        "X=$(git push)",
        "/usr/bin/git push",
        "git 'push'",
        'g"i"t p\\ush',
        "git \\\n push",
        "git $'push'",
        "git $WHAT",
        "$WHAT push",
        "g?t push",
        "{git,push}",
        "[g]it push",
        'git "$@"',
        'git "${what[@]}"',
        "git -C there push",
        "git --no-pager -c a.b=c push",
        ">log git push",
        "git push 2>&1 >log",
        "if true; then git push; fi",
        "for x in a b; do git push; done",
        "while git push; do :; done",
        "case x in x) git push;; esac",
        "f() { git push; }; f",
        "! git push",
        "time git push",
        "sudo -u me git push",
        "env -i A=b git push",
        "timeout 5 git push",
        "echo main | xargs git push",
        "find . -exec git push ;",
        "bash -c 'git push'",
        "sh -c 'cd x; git push'",
        "bash -c 'bash -c \"git push\"'",
        "eval git push",
        "eval 'git push'",
        "trap 'git push' EXIT",
        "bash <<< 'git push'",
        "bash <<EOF\ngit push\nEOF",
        "bash <<-'EOF'\n\tgit push\n\tEOF",
        "cat <<EOF\n$(git push)\nEOF",
        "cat <<'EOF'\ndon't\nEOF\ngit push",
        "echo 'git push' | sh",
        "curl http://x | bash -s",
        "alias g=git; g push",
        "echo $'\\'' ; git push #'",
        "echo it's; git push",
        'echo "; git push',
        "# a word\ngit push",
        "echo a#b; git push",
        "echo `echo \\`git push\\``",
    ],
)
def test_a_push_is_found(command):
    assert could_run("git push*", command)


@pytest.mark.parametrize("command", ["{git,push,x}", "[g]it push x", 'git "$@"', "git push x", "git $A", "g* x"])
def test_a_whole_command_is_found_too(command):
    assert could_run("git push x", command)


@pytest.mark.parametrize(
    "command",
    [
        "git pull",
        "git status; ls -la | wc -l",
        "echo git push",
        "echo 'a; git push'",
        "git commit -m 'push; git push later'",
        "git commit -m \"$(cat <<'EOF'\nDon't git push (yet)\nEOF\n)\"",
        "cat <<'EOF'\ngit push\nEOF",
        "pytest -q tests # then git push",
        'for f in "${files[@]}"; do wc "$f"; done',
        "if [ -f x ]; then cat x; fi",
        "[[ $a == b ]] && ls",
        "python -c 'print(1)'",
        "ls *.py {a,b} ~/x",
        '"$HOME"/bin/tool run',
        "echo $((1 + 2))",
        "awk '{print $1}' file",
    ],
)
def test_what_runs_no_push_is_let_alone(command):
    assert not could_run("git push*", command)


QUOTES = [
    "'",
    '"',
    "\\",
    "`",
    "$(",
    ")",
    "${",
    "}",
    "#",
    ";",
    "\n",
    " ",
    "<<E",
    "E",
    "$'",
    "a",
    "(",
    "&",
    "hit",
    "=",
    ">",
]


@given(st.lists(st.sampled_from(QUOTES), max_size=12).map("".join))
def test_whatever_bash_runs_of_a_random_text_is_found(text):
    env = {"PATH": "/nonexistent"}
    ran = subprocess.run(["/bin/bash", "--norc", "-c", text], check=False, env=env, capture_output=True, cwd="/proc")
    if b": hit: command not found" in ran.stderr:
        assert could_run("hit*", text)


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_the_quick_way_and_the_thorough_one_agree(pattern, text):
    assert matches(pattern, text) == could_match(pattern + "*", text + ANYTHING) & matches(pattern, text)
    assert could_match(pattern, text + ANYTHING) >= matches(pattern, text)


@given(st.text("ab*", max_size=8), st.text("ab", max_size=4), st.text("ab", max_size=4), st.text("ab*;'", max_size=4))
def test_a_part_that_is_unknown_could_be_anything(pattern, before, after, between):
    if matches(pattern, before + between + after):
        assert could_match(pattern, before + ANYTHING + after)


def test_a_command_of_any_size_is_answered_soon():
    assert commands_of("sudo " * 3000 + "x") is None
    assert commands_of("$(" * 5000) is None
    assert commands_of("x" * 100_000) is None
