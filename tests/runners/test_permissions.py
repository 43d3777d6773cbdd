"""Which calls an agent may make."""

from pathlib import Path

import pytest

from app.runners.claude.permissions import Permissions

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
    assert Permissions(allowed, HERE).refusal(tool, given) is None


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
    assert Permissions(allowed, HERE).refusal(tool, given)


def test_the_model_is_shown_only_what_is_allowed():
    assert Permissions(("Read", "Edit"), HERE).tools == ["Edit", "MultiEdit", "NotebookEdit", "Read", "Write"]
