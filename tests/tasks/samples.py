"""The page of a task that failed after a rejection, as the controllers would build it."""

from datetime import UTC, datetime, timedelta

from app.tasks.views import (
    Action,
    AgentLink,
    EditForm,
    FeedItem,
    PageNotice,
    RunView,
    StepView,
    TaskPage,
    WorktreePanel,
)
from app.web.forms import Entered
from app.web.markdown import to_html

TASK = "r8h2wd5cqz"
MADE = datetime(2026, 11, 19, 16, 30, tzinfo=UTC)
DESCRIPTION = """Hashing a source distribution reads the whole file. With a 400 MB `sdist` the resolver's memory
doubles, and the CI runner for Windows was killed twice last week.

- Read in blocks of 1 MiB and feed every requested algorithm in one pass.
- Keep `hash_file(path, algorithms)` as it is; callers must not change.
- Add a benchmark that fails above 32 MiB of extra memory.
"""


def task_page(**changes: object) -> TaskPage:
    """The whole page, with an error that waits for a person."""
    known: dict[str, object] = {
        "id": TASK,
        "title": "Stream sdist hashes in chunks",
        "column": "in_progress",
        "position": 4,
        "stage": "error",
        "labels": ("index", "memory"),
        "description_html": to_html(DESCRIPTION),
        "created_at": MADE,
        "rejection_count": 1,
        "agent": AgentLink("a1", "opus-1", "error"),
        "runner": "Claude Agent SDK",
        "session_id": "s1session",
        "branch": "agent/r8h2wd/stream-sdist-hashes-in-chunks",
        "base_branch": "main",
        "files_changed": 4,
        "lines_added": 131,
        "lines_removed": 40,
        "primary": Action(label="Retry run 2", path="/agents/a1/retry", icon="retry", tone="primary"),
        "actions": (
            Action(label="Submit what is there", path=f"/tasks/{TASK}/move", fields=(("column", "waiting_approval"),)),
        ),
        "can_cancel": True,
        "can_delete": True,
        "notices": (
            PageNotice(
                tone="fail",
                title="Run 2 ended: the model's API answered 429 five times.",
                text="Its edits are committed on the branch as c7d19ab; nothing was lost.",
                code="api_error",
                actions=(Action(label="See the last events", path="/sessions/s1session", method="get"),),
            ),
        ),
        "runs": runs(),
        "feed": feed(),
        "worktree": worktree(),
        "edit": EditForm(
            form=Entered(),
            title="Stream sdist hashes in chunks",
            description=DESCRIPTION,
            labels=("index", "memory"),
            agents=(("a1", "opus-1"), ("a2", "opus-2")),
        ),
    }
    return TaskPage(**{**known, **changes})


def runs() -> tuple[RunView, ...]:
    """One run that failed, and one that succeeded of which less is known."""
    return (
        RunView(
            id="r2",
            number=2,
            cause="rejection",
            status="error",
            error_type="api_error",
            agent="opus-1",
            runner="claude",
            model="claude-opus-4-5",
            turns=17,
            max_turns=40,
            tools=64,
            tokens_in=290_000,
            tokens_out=12_000,
            started_at=MADE,
            duration_ms=588_000,
            error="API error: 429 too many requests, five times",
            prompt="The benchmark measures the wrong thing.",
        ),
        RunView(
            id="r1",
            number=1,
            cause="task",
            status="completed",
            agent="opus-1",
            tools=1291,
            started_at=MADE,
            duration_ms=725_000,
            result_html=to_html("Hashes are streamed in blocks of **1 MiB**."),
        ),
    )


def feed() -> tuple[FeedItem, ...]:
    """People, agents and AgentPane."""

    def item(minutes: int, actor: str, kind: str, words: str, **known: object) -> FeedItem:
        return FeedItem(actor=actor, actor_kind=kind, words=words, at=MADE + timedelta(minutes=minutes), **known)

    reason = "The benchmark measures the wrong thing: `tracemalloc` does not see the buffer that `hashlib` holds."
    return (
        item(0, "Jun Ishii", "person", "opened this and moved it to In progress"),
        item(13, "opus-1", "agent", "finished run 1: 4 files"),
        item(
            50,
            "Tomás Okafor",
            "person",
            "requested changes on digest",
            reference="sha256:a91f03c27e",
            quote_html=to_html(reason),
        ),
        item(60, "Run 2", "system", "ended with api_error; work saved as", reference="c7d19ab", stage="error"),
    )


def worktree() -> WorktreePanel:
    """A worktree whose dependencies could not be installed."""
    return WorktreePanel(
        id="w1",
        status="active",
        branch="agent/r8h2wd/stream-sdist-hashes-in-chunks",
        base_branch="main",
        path="/home/mara/code/wheelwright/.worktrees/r8h2wd-stream-sdist-hashes-in-chunks",
        steps=(
            StepView(name="Add worktree", stage="done", duration=300, log="git worktree add …"),
            StepView(name="Copy env files", stage="done", note="2 files", log=".env.test\n.python-version"),
            StepView(name="Install dependencies", stage="starting", note="uv sync"),
            StepView(name="Init script", stage="idle", note="none set"),
        ),
        actions=(Action(label="Remove", path="/worktrees/w1/remove", icon="trash"),),
    )
