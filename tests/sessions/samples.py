"""A session page with every kind of event, as the controllers would build it."""

from datetime import UTC, datetime, timedelta

from app.sessions.stream_views import (
    DecisionView,
    ErrorView,
    EventView,
    FilterView,
    MessageView,
    NoticeView,
    PresenceView,
    QueuedView,
    SessionHead,
    SessionPage,
    SessionRun,
    SessionTask,
    StatusView,
    ToolCallView,
    WatcherView,
)
from app.sessions.tool_views import tool_call
from app.tasks.views import Action, AgentLink, PageNotice
from app.web.context import PageContext, ProjectLink
from app.web.markdown import to_html

SESSION, TASK, AGENT, RUN = "s9d2mkq4xv", "m3x8vapq21", "a2opusagent", "r2run00000"
START = datetime(2026, 11, 22, 14, 2, tzinfo=UTC)
FAILURE = """..........F....                                              [100%]
=================================== FAILURES ===================================
_________________________ test_retry_after_is_honoured _________________________
tests/index/test_client.py:147: in test_retry_after_is_honoured
    assert host.ready_at == 1_700_000_030.0
\x1b[31mE   AssertionError: assert 1700000001.0 == 1700000030.0\x1b[0m
1 failed, 14 passed in 10.92s"""
REASON = """The retry loop sleeps with `time.sleep` inside the resolver thread, so one slow mirror stalls every
other lookup. Back off per host, cap the total at 30 s, and honour `Retry-After`."""
AGREED = """Agreed: the sleep belongs to the host, not to the thread. I will look at how `IndexClient` schedules
requests before changing anything."""
AGAIN = "The model's service refused (529); trying again in 4 s."
ANSWER = """One real failure. `Retry-After` may be a date as well as seconds, and I parsed only seconds:

- seconds: `Retry-After: 30`
- HTTP date: `Retry-After: Sun, 22 Nov 2026 14:08:00 GMT`

```python
def ready_at(header: str, now: float) -> float:
    if header.isdigit():
        return now + min(int(header), CAP)
    return min(parsedate_to_datetime(header).timestamp(), now + CAP)
```
"""
OLD = "def delay(attempt):\n    time.sleep(2 ** attempt)\n    return attempt"
NEW = "def delay(attempt, host):\n    host.ready_at = now() + 2 ** attempt\n    return attempt"


def frame(section: str = "Sessions", stream: str = "") -> PageContext:
    """The frame around a page of the sample project."""
    project = ProjectLink("p1wheel", "wheelwright", 5)
    return PageContext(
        section=section,
        project=project,
        projects=(project,),
        attention=5,
        person="Mara Lindqvist",
        csrf_token="token-of-a-test",
        path=f"/sessions/{SESSION}",
        stream=stream,
    )


def at(minute: int) -> datetime:
    """A moment of the sample session."""
    return START + timedelta(minutes=minute)


def message(number: int, text: str, minute: int = 0) -> MessageView:
    """What the agent says."""
    return MessageView(
        number=number, at=at(minute), actor="opus-2", actor_kind="agent", message_id=f"m{number}", html=to_html(text)
    )


def call(number: int, tool: str, status: str = "complete", **known: object) -> ToolCallView:
    """What the agent does."""
    facts = {"output": {}, "duration_ms": 120, "audit_id": f"a{number}", "root": "/w/t1", **known}
    return tool_call(
        number=number, at=at(3), actor="opus-2", call_id=f"toolu_{number}", tool=tool, status=status, **facts
    )


def events() -> tuple[EventView, ...]:
    """One event of every shape."""
    path = "/w/t1/src/wheelwright/index/hosts.py"
    return (
        StatusView(number=198, at=at(0), words="Run 2 began after a rejection"),
        DecisionView(
            number=199,
            at=at(0),
            actor="Tomás Okafor",
            actor_kind="person",
            decision="rejected",
            digest="sha256:a91f03c27e",
            reason_html=to_html(REASON),
        ),
        message(200, AGREED),
        call(
            201,
            "Grep",
            input={"pattern": "time.sleep|Retry-After", "path": "src/wheelwright"},
            output={"content": "src/wheelwright/index/client.py:88:            time.sleep(delay)"},
        ),
        call(203, "Read", input={"file_path": path}, output={"file": {"content": "import time\n\nCAP = 30\n" * 20}}),
        call(205, "Edit", input={"file_path": path, "old_string": OLD, "new_string": NEW}),
        call(
            207,
            "Bash",
            "error",
            input={"command": "pytest tests/index -q"},
            output={"stdout": FAILURE, "exit_code": 1},
            duration_ms=11_400,
        ),
        message(213, ANSWER, 5),
        call(
            214,
            "Bash",
            input={"command": "pytest tests/index -q"},
            output={"stdout": "15 passed", "exit_code": 0},
            duration_ms=134_800,
        ),
        call(
            216,
            "Bash",
            "denied",
            input={"command": "curl -s https://index.example/simple/attrs/"},
            output=None,
            error="Bash(curl) is not among this agent's allowed tools.",
        ),
        PresenceView(number=218, at=at(7), actor="Mara Lindqvist", actor_kind="person", change="joined"),
        NoticeView(number=219, at=at(7), actor="opus-2", actor_kind="agent", text=AGAIN, level="warning"),
        NoticeView(
            number=220,
            at=at(7),
            actor="opus-2",
            actor_kind="agent",
            text="\x1b[32mplain output\x1b[0m of a program\nin two lines",
        ),
        MessageView(
            number=221,
            at=at(8),
            actor="Mara Lindqvist",
            actor_kind="person",
            message_id="m221",
            html=to_html("Please keep the public signature of `IndexClient.get` as it is.", breaks=True),
        ),
        call(222, "Bash", "running", input={"command": "pytest -q"}, output=None, duration_ms=None),
        ErrorView(
            number=224,
            at=at(9),
            title="The model's service answered 429 five times.",
            code="api_error",
            text="Its edits are committed on the branch; nothing was lost.",
        ),
    )


def session_page(**changes: object) -> SessionPage:
    """The whole page, in the middle of a run."""
    head = SessionHead(
        id=SESSION,
        title="Retry index downloads with backoff",
        stage="running",
        agent=AgentLink(AGENT, "opus-2", "running"),
        run=SessionRun(
            id=RUN,
            number=2,
            status="running",
            turns=11,
            max_turns=40,
            tokens_in=401_200,
            tokens_out=16_800,
            started_at=START,
        ),
        branch="agent/m3x8va/retry-index-downloads-with-backoff",
        actions=(
            Action(label="Pause", path=f"/agents/{AGENT}/pause", icon="pause"),
            Action(label="Stop", path=f"/agents/{AGENT}/stop", icon="stop", tone="danger"),
        ),
    )
    known: dict[str, object] = {
        "head": head,
        "task": SessionTask(
            id=TASK,
            title="Retry index downloads with backoff",
            column="in_progress",
            rejection_count=1,
            branch="agent/m3x8va/retry-index-downloads-with-backoff",
            base_branch="main",
            files_changed=4,
            lines_added=96,
            lines_removed=21,
        ),
        "events": events(),
        "drafts": (
            MessageView(
                number=0,
                at=at(9),
                actor="opus-2",
                actor_kind="agent",
                message_id="m225",
                html=to_html("Now I will"),
                draft=True,
            ),
        ),
        "earlier": 197,
        "filters": (
            FilterView(name="All", href="?", count=224, current=True),
            FilterView(name="Messages", href="?show=messages", count=24),
            FilterView(name="Tools", href="?show=tools", count=171),
            FilterView(name="Errors", href="?show=errors"),
        ),
        "watching": (WatcherView("Mara Lindqvist", you=True), WatcherView("Tomás Okafor"), WatcherView("Jun Ishii")),
        "queue": (
            QueuedView("q1", "Mara Lindqvist", "And please add a line to CHANGES.md when you are done with it."),
        ),
        "notices": (PageNotice(title="Earlier events were made before a restart.", text="None is missing."),),
    }
    return SessionPage(**{**known, **changes})
