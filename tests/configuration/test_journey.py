"""From the words of a project and its repository to what an agent is told, and may."""

import json
from pathlib import Path

from app.configuration.sources import Configuration
from app.projects.rows import Prompts
from app.reviews.rejecting import reject
from app.reviews.resolving import send_back_with_conflict
from app.runs.configured import kept_of
from app.runs.rows import RunRow
from tests.git.repositories import commit
from tests.visitor import Visitor
from tests.workshop import MARA, Workshop

#: Writes down what it was asked and what it was refused, and changes the one file that there is.
SCRIPT = """
cat > "asked-$AGENTPANE_ATTEMPT.txt"
for command in "git push origin" "git status"; do
  call="{\\"tool_name\\": \\"Bash\\", \\"tool_input\\": {\\"command\\": \\"$command\\"}}"
  printf '%s' "$call" | "$AGENTPANE_ASK" 2>> "refused-$AGENTPANE_ATTEMPT.txt" >/dev/null || true
done
echo "mine $AGENTPANE_ATTEMPT" > README.md
"""
TASK = "As {{agent.name}} of {{project.name}}, try {{task.attempt}}: {{task.title}}\n\n{{task.description}}"
REJECTION = "{{rejection.person}} wants another: {{rejection.reason}}"
CONFLICT = "{{conflict.base}} is in the way:\n{{conflict.files}}"


async def kept(run: RunRow) -> Configuration:
    found = (await kept_of(run.id)).configuration
    assert found is not None
    return found


async def test_templates_and_rules_reach_the_agent_and_are_kept_with_the_run(
    workshop: Workshop, visitor: Visitor
) -> None:
    await workshop.configure(prompts=Prompts(rejection=REJECTION, task="Not this one: {{task.title}}"))
    words = {
        ".claude/config.json": json.dumps(
            {"maxTurns": 9, "permissions": {"deny": ["Bash(git push*)"]}, "memoryLimitMb": 2048, "timeoutMinutes": 999}
        ),
        ".claude/prompts/task.md": TASK,
        ".claude/prompts/conflict.md": CONFLICT,
        "CLAUDE.md": "Keep {{task.title}} plain.",
    }
    head = commit(workshop.root, words)
    bob = await workshop.agent("bob", SCRIPT)
    task = await workshop.task("Say {{task.id}}", agent=bob)
    task = await workshop.until(task, "waiting_approval")
    told = "As bob of wheelwright, try 1: Say {{task.id}}"
    instructions = (
        "This repository asks everybody who works in it to keep to its CLAUDE.md:\n\nKeep {{task.title}} plain."
    )

    def written(name: str) -> str:
        (path,) = Path(workshop.root / ".worktrees").glob(f"*/{name}")
        return path.read_text()

    assert written("asked-1.txt") == f"{instructions}\n\n---\n\n{told}"
    assert written("refused-1.txt").strip() == "The rule Bash(git push*) refuses this call."
    (first,) = await workshop.runs(task)
    assert first.prompt == told
    holds = await kept(first)
    assert (holds.number("memoryLimitMb"), holds.number("timeoutMinutes")) == (2048, 60)
    assert (holds.value("maxTurns").source.commit, holds.value("maxTurns").source.name) == (head, ".claude/config.json")
    assert holds.instructions is not None
    assert holds.instructions.text == ""

    await reject(task.id, "Be {{agent.name}}.", MARA)
    task = await workshop.until(task, "waiting_approval")
    again = told.replace("try 1", "try 2")
    # What a program that knows no conversation is told besides stands between.
    assert written("asked-2.txt").startswith(f"{instructions}\n\n---\n\nYou go on with work that was begun before.")
    assert written("asked-2.txt").endswith(
        "# Now\n\n" + f"{again}\n\nMara Lindqvist wants another: Be {{{{agent.name}}}}."
    )

    base = commit(
        workshop.root, {"README.md": "theirs\n", ".claude/config.json": '{"permissions": {"deny": ["Bash"]}}'}
    )
    await send_back_with_conflict(task.id, MARA)
    await workshop.until(task, "waiting_approval")
    conflict = f"main ({base[:10]}) is in the way:\n- README.md: both sides changed the same lines"
    assert written("asked-3.txt").endswith(conflict)
    assert written("refused-3.txt").count("The rule Bash refuses this call.") == 2
    # Each run keeps what it was started with.
    assert [(await kept(run)).commit for run in await workshop.runs(task)] == [head, head, base]
    page = await visitor.page(f"/runs/{first.id}/configuration")
    assert f"<code>.claude/config.json</code> at <code>{head[:10]}</code>" in page
    assert "As bob of wheelwright, try 1: Say {{task.id}}" in page
    assert f"/runs/{first.id}/configuration" in await visitor.page(f"/tasks/{task.id}")


async def test_what_is_wrong_in_the_repository_stops_no_run(workshop: Workshop) -> None:
    broken = {".claude/config.json": "{", ".claude/prompts/task.md": "{{task.nothing}}", "CLAUDE.md": b"\x00"}
    commit(workshop.root, broken)
    task = await workshop.done("Go on", "cat > asked.txt")
    (run,) = await workshop.runs(task)
    assert run.prompt == "Go on"
    assert len((await kept(run)).notes) == 3


async def test_no_agent_starts_while_nobody_knows_what_the_repository_demands(workshop: Workshop) -> None:
    bob = await workshop.agent("bob", "true")
    await workshop.configure(default_branch="gone")
    task = await workshop.until(await workshop.task("Start", agent=bob), "error")
    (run,) = await workshop.runs(task)
    assert run.error_type == "setup_failed"
    assert "What the repository says of its agents could not be read: There is no branch gone" in (run.error or "")
    assert (await kept_of(run.id)).configuration is None
