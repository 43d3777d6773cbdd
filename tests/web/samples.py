# ruff: noqa: E501  rows of a table read better on one line
"""Pages full of things, as the design shows them: what the template tests render and the pictures show."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec

from app.agents.views import (
    AgentDefaults,
    AgentList,
    AgentNumbers,
    AgentRow,
    AgentRun,
    AgentView,
    Ending,
)
from app.audit.filters import Filter
from app.audit.views import (
    AuditEntry,
    AuditList,
    AuditRow,
    ChainEntryView,
    ChainView,
    LinkView,
    Paging,
    Part,
    ToolTotal,
    Totals,
)
from app.board.views import (
    AgentChoice,
    AttentionItem,
    Board,
    Card,
    Column,
    LabelCount,
    Overview,
    ProjectRow,
)
from app.budgets.pricing import Price
from app.budgets.views import AlertView, BudgetPage, FieldView, Gauge, PricesPage, QuestionPage, SpanView
from app.configuration.layers import server_layers
from app.configuration.resolving import resolve
from app.configuration.showing import Place, shown
from app.configuration.sources import PROJECT as PROJECT_SAYS
from app.configuration.sources import Instructions, Layer, Note, Source
from app.configuration.views import ConfigurationOfOne, ConfigurationPage, PromptPage, SourceView
from app.projects.views import NewProject, ProjectSettings
from app.runners.rules import Rules
from app.runs.interrupted import Interrupted
from app.runs.views import RunList, RunRow
from app.sessions.views import SessionList, SessionRow
from app.settings import Settings
from app.tasks.views import Action
from app.web.context import PageContext, ProjectLink
from app.web.forms import Entered
from app.web.templates import COLUMNS
from app.worktrees.pruning import Candidate, Known
from app.worktrees.surveying import Stray
from app.worktrees.views import KeptBranch, PrunePage, WorktreeList, WorktreeRow, WorktreeStep

NOW = datetime.now(UTC)
PROJECT = ProjectLink("p1wheelwright", "wheelwright", 5)
PROJECTS = (PROJECT, ProjectLink("p2plinthdocs", "plinth-docs"), ProjectLink("p3harbourapi", "harbour-api", 1))


def before(**ago: float) -> datetime:
    return NOW - timedelta(**ago)


def context(section: str = "Board", **known: object) -> PageContext:
    given = {
        "project": PROJECT,
        "projects": PROJECTS,
        "attention": 5,
        "person": "Mara Lindqvist",
        "csrf_token": "a" * 64,
        **known,
    }
    return PageContext(section=section, **given)  # type: ignore[arg-type]


def card(id: str, title: str, column: str, position: int, stage: str = "idle", *labels: str, **known: object) -> Card:
    return Card(
        id=f"{id}0000000000000000xy",
        title=title,
        column=column,
        position=position,
        stage=stage,
        labels=labels,
        **known,  # type: ignore[arg-type]
    )


OPUS = {"agent_id": "aopus1", "agent_name": "opus-1", "session_id": "sess1"}
CARDS = (
    card("b2c9xk", "Report the whole requirement chain when resolution fails", "backlog", 0, "idle", "resolver", "errors"),
    card("d8w1ny", "Read PEP 751 lock files", "backlog", 1, "idle", "index"),
    card("f5j7rp", "Fuzz version specifiers against packaging's own parser", "backlog", 2, "idle", "tests"),
    card("h3z6tb", "Document the environment marker evaluator", "backlog", 3, "idle", "docs"),
    card("n1v4gc", "Drop the Python 3.8 shims from _compat", "backlog", 4, "idle", "chore", rejection_count=2),
    card(
        "k7f2q9", "Cache parsed wheels between resolver runs", "in_progress", 0, "running", "resolver", "perf",
        tool="Bash", argument="pytest tests/resolver -q", turn=14, max_turns=40,
        running_since=before(minutes=6, seconds=12), **OPUS,
    ),
    card(
        "m3x8va", "Retry index downloads with backoff", "in_progress", 1, "needs_you", "index",
        tool="Bash", argument="uv add 'tenacity>=9,<10'", turn=11, max_turns=40,
        running_since=before(minutes=8, seconds=14), agent_id="aopus2", agent_name="opus-2", session_id="sess2",
    ),
    card(
        "q9k5we", "Fetch metadata in parallel, per host", "in_progress", 2, "starting", "index", "perf",
        step="uv sync --frozen", step_number=3, step_count=4, running_since=before(seconds=21),
        agent_id="asonnet1", agent_name="sonnet-1", session_id="sess3",
    ),
    card(
        "t6b3ha", "Move setup.cfg to pyproject metadata", "in_progress", 3, "paused", "chore",
        turn=9, max_turns=40, pause_requested=True, paused_since=before(minutes=4, seconds=50), **OPUS,
    ),
    card(
        "r8h2wd", "Stream sdist hashes in chunks", "in_progress", 4, "error", "index",
        error_type="api_error", note="The model's API answered 429 five times. Work is saved on the branch.",
        turn=17, max_turns=40, rejection_count=1, **OPUS,
    ),
    card("v2m7fz", "Compile markers once and cache them", "in_progress", 5, "queued", "resolver", queue_place=1),
    card(
        "e4t9rb", "Normalise extras before comparing candidates", "waiting_approval", 0, "review", "resolver",
        waiting_since=before(minutes=18), files_changed=7, lines_added=214, lines_removed=88,
        agent_id="asonnet1", agent_name="sonnet-1", session_id="sess4",
    ),
    card(
        "c7y1ks", "Typed public API for Candidate and Requirement", "waiting_approval", 1, "review", "types",
        waiting_since=before(hours=2), files_changed=12, lines_added=402, lines_removed=131, rejection_count=1, **OPUS,
    ),
    card(
        "w5d8pj", "Keep yanked releases out of the default set", "waiting_approval", 2, "review", "index",
        waiting_since=before(minutes=41), files_changed=1, lines_added=58, lines_removed=12, error_type="turn_limit", **OPUS,
    ),
    card("g1n5xq", "Pin the CI images by digest", "verified", 0, "done", "ci", approved_by="Mara", approved_at=before(hours=2)),
    card("j8s2lv", "Explain why a candidate was discarded", "verified", 1, "done", "errors", approved_by="Tomás", approved_at=before(days=1)),
    card("p4r6mb", "Reuse one TLS session per index", "verified", 2, "done", "index", "perf", approved_by="Mara", approved_at=before(days=3)),
    card("z7c3td", "Test the resolver on PyPy 3.11", "verified", 3, "done", "tests", approved_by="Jun", approved_at=before(days=40)),
)  # fmt: skip

ATTENTION = (
    AttentionItem(stage="needs_you", title="Retry index downloads with backoff", href="/sessions/sess2", lead="opus-2 asks", detail="to run", code="uv add tenacity", since=before(minutes=2), project_name="wheelwright", action="Answer"),
    AttentionItem(stage="error", title="Stream sdist hashes in chunks", href="/tasks/r8h2wd", lead="Error", code="api_error", detail="429 after 5 tries", since=before(minutes=28), project_name="wheelwright"),
    AttentionItem(stage="review", title="Normalise extras before comparing candidates", href="/tasks/e4t9rb/review", lead="In review", detail="7 files", since=before(minutes=18), project_name="wheelwright", action="Review"),
    AttentionItem(stage="review", title="Typed public API for Candidate and Requirement", href="/tasks/c7y1ks/review", lead="In review", detail="12 files", since=before(hours=2), project_name="harbour-api", action="Review"),
    AttentionItem(stage="review", title="Keep yanked releases out of the default set", href="/tasks/w5d8pj/review", lead="In review", detail="turn limit", since=before(minutes=41), project_name="wheelwright", action="Review"),
)  # fmt: skip


def columns(cards: tuple[Card, ...] = CARDS) -> tuple[Column, ...]:
    known: dict[str, dict[str, object]] = {"in_progress": {"slots": 4}, "waiting_approval": {"oldest": before(hours=2)}}
    made = []
    for key, name in COLUMNS:
        own = tuple(each for each in cards if each.column == key)
        made.append(Column(key=key, name=name, cards=own, total=len(own), **(known.get(key, {}) if own else {})))  # type: ignore[arg-type]
    return tuple(made)


def board(cards: tuple[Card, ...] = CARDS, **known: object) -> Board:
    labels = [("resolver", 6), ("index", 4), ("types", 2), ("tests", 3), ("docs", 2)]
    given = {
        "attention": ATTENTION,
        "labels": tuple(LabelCount(*each) for each in labels),
        "agents": (AgentChoice("aopus1", "opus-1"), AgentChoice("aopus2", "opus-2")),
        "agents_at_work": 3,
        "queued": 1,
        **known,
    }
    return Board(project_id=PROJECT.id, project_name=PROJECT.name, columns=columns(cards), **given)  # type: ignore[arg-type]


def full_board(count: int = 200) -> Board:
    cards = tuple(
        Card(
            **{name: getattr(each, name) for name in each.__struct_fields__}
            | {"id": f"c{n:05}{'x' * 18}", "position": n}
        )
        for n in range(count)
        for each in (CARDS[n % len(CARDS)],)
    )
    return board(cards)


EMPTY_BOARD = Board(project_id=PROJECT.id, project_name=PROJECT.name, columns=columns(()))

OVERVIEW = Overview(
    (
        ProjectRow(id="p1", name="wheelwright", path="~/src/wheelwright", default_branch="main", asks=1, reviews=3, errors=1, agents=("opus-1", "opus-2", "sonnet-1"), backlog=5, in_progress=6, waiting_approval=3, verified=41),
        ProjectRow(id="p3", name="harbour-api", path="~/src/harbour-api", default_branch="trunk", reviews=1, agents=("opus-1",), backlog=12, in_progress=1, waiting_approval=1, verified=88),
        ProjectRow(id="p2", name="plinth-docs", path="~/src/plinth-docs", default_branch="main", agents=("haiku-docs",), backlog=3, in_progress=1, verified=19),
        ProjectRow(id="p4", name="tideline", path="/srv/git/tideline", default_branch="develop", backlog=8, verified=5),
    ),
    tuple(sorted(ATTENTION, key=lambda item: item.since or NOW)),
)  # fmt: skip

WRONG_PROJECT = NewProject(
    form=Entered(
        {"path": "~/src/tideline", "name": "tideline", "max_concurrent_agents": "14"},
        {
            "path": "There is no git repository at this path. Run git init there, or choose another.",
            "max_concurrent_agents": "Choose 1 to 10.",
        },
    )
)

SETTINGS = ProjectSettings(
    id=PROJECT.id,
    name="wheelwright",
    path="~/src/wheelwright",
    description="Dependency resolver for Python packages, as a library.",
    default_branch="main",
    worktree_root=".worktrees",
    env_file=".env",
    install_command="uv sync --frozen",
    install_timeout=900,
    init_timeout=900,
    branch_template="agent/{id}/{slug}",
    stale_after_days=14,
    init_script="scripts/dev-init",
    allowed_tools=("Read", "Grep", "Glob", "Edit", "Write", "Bash(pytest:*)", "Bash(uv run:*)"),
    max_turns=40,
    timeout_minutes=60,
    idle_timeout_minutes=10,
    model="claude-sonnet-4",
    max_concurrent_agents=4,
    running_agents=3,
)
WRONG_SETTINGS = ProjectSettings(
    **{name: getattr(SETTINGS, name) for name in SETTINGS.__struct_fields__}
    | {
        "form": Entered(
            {"name": "wheelwright", "max_concurrent_agents": "14"}, {"max_concurrent_agents": "Choose 1 to 10."}
        ),
        "delete_form": Entered({"confirm_name": "wheel"}, {"confirm_name": "That is not the project's name."}),
        "running_agents": 0,
    }
)

RUNS = tuple(
    RunRow(
        id=f"run{n}00000000000000000",
        status=status,
        error_type=error_type,
        task_id=f"t{n}",
        task_title=title,
        session_id=f"sess{n}",
        agent_id="aopus1",
        agent_name="opus-1",
        turn_count=turns,
        token_input_count=turns * 14_000,
        token_output_count=turns * 612,
        duration=None if status == "running" else turns * 31_000,
        started_at=before(minutes=6 + 60 * n * n),
    )
    for n, (title, status, error_type, turns) in enumerate(
        [
            ("Cache parsed wheels between resolver runs", "running", "", 14),
            ("Stream sdist hashes in chunks", "error", "api_error", 17),
            ("Keep yanked releases out of the default set", "completed", "turn_limit", 40),
            ("Move setup.cfg to pyproject metadata", "paused", "", 9),
            ("Reuse one TLS session per index", "completed", "", 16),
            ("Explain why a candidate was discarded", "completed", "", 24),
            ("Drop the Python 3.8 shims from _compat", "error", "stopped", 6),
        ]
    )
)
RUN_LIST = RunList(project_id=PROJECT.id, runs=RUNS, older="?before=41")

DEFAULTS = AgentDefaults(max_turns=40, allowed_tools=SETTINGS.allowed_tools, model="claude-sonnet-4")
AGENTS = AgentList(
    project_id=PROJECT.id,
    agents=(
        AgentRow(id="aopus1", name="opus-1", type="task", status="running", runner="claude", model="claude-opus-4", task_id="k7", task_title="Cache parsed wheels between resolver runs", total_tasks=86, completed_tasks=79, failed_tasks=7),
        AgentRow(id="aopus2", name="opus-2", type="task", status="paused", runner="claude", task_id="m3", task_title="Retry index downloads with backoff", total_tasks=12, completed_tasks=11),
        AgentRow(id="asonnet1", name="sonnet-1", type="task", status="error", runner="acp", total_tasks=31, completed_tasks=24, failed_tasks=7, last_error="The model's API answered 429 five times."),
        AgentRow(id="ahaiku", name="haiku-docs", type="background", status="idle", runner="command"),
    ),
    max_concurrent_agents=4,
    defaults=DEFAULTS,
    queued=1,
)  # fmt: skip
HOLDS = shown(
    msgspec.structs.replace(
        resolve(
            [
                *server_layers(Settings(data_dir=Path("/data"))),
                Layer(source=PROJECT_SAYS, values={"maxTurns": 40}, rules=Rules(ask=("Bash(git push*)",))),
                Layer(
                    source=Source("repository", ".claude/config.json", "a04be77c19" * 4),
                    values={
                        "allowedTools": ("Read", "Edit", "Bash(uv run *)"),
                        "maxTurns": 90,
                        "model": "claude-opus-4",
                    },
                    rules=Rules(deny=("Read(.env)",), allow=("Bash",)),
                ),
                Layer(source=Source("agent", "opus-1"), values={"model": "claude-opus-4"}),
            ],
            trusted=False,
        ),
        notes=(
            Note(".claude/config.json", "hooks is ignored: it is a setting of Claude Code, which is not used here."),
        ),
        instructions=Instructions(Source("repository", "CLAUDE.md", "a04be77c19" * 4), "b" * 40, 1240),
        branch="main",
        commit="a04be77c19" * 4,
    ),
    Place(project_id=PROJECT.id, agent_id="aopus1", runner="claude"),
)
CONFIGURATION = ConfigurationPage(
    project_id=PROJECT.id, shown=HOLDS, trust_repository=False, config_path=".claude", saved=True
)
NO_CONFIGURATION = ConfigurationOfOne(
    title="Configuration of run 1", back=(("/runs/r", "Run 1"),), shown=None, prompt="Do <b>it</b>."
)
PROMPT = PromptPage(
    name="rejection", title="After a rejection", when="What it is told.", action="/agents/aopus1/prompts/rejection",
    back=("/agents/aopus1#prompts", "opus-1"), owner="opus-1", text="Look again: {{rejection.reason}}", is_own=True,
    source=SourceView(words="opus-1"), above="The repository counts before.", saved=True, preview="Look again: <b>no</b>",
    variables=(("rejection.reason", "What the person wrote"),), tasks=(("k7f2q9", "Cache parsed wheels"),), task_id="k7f2q9",
)  # fmt: skip
WRONG_PROMPT = msgspec.structs.replace(
    PROMPT, preview="", form=Entered({"template": "{{x}}"}, {"template": "Line 1: there is no {{x}}."})
)
NO_AGENTS = AgentList(project_id=PROJECT.id, agents=(), max_concurrent_agents=3, defaults=DEFAULTS)
AGENT = AgentView(
    id="aopus1",
    project_id=PROJECT.id,
    name="opus-1",
    type="task",
    status="running",
    runner="claude",
    model="claude-opus-4",
    max_turns=40,
    allowed_tools=SETTINGS.allowed_tools,
    system_prompt="Write plain code.",
    temperature=0.2,
    task_id="k7f2q9",
    task_title="Cache parsed wheels between resolver runs",
    session_id="sess1",
    tool="Bash",
    argument="pytest tests/resolver -q",
    turn=14,
    turn_limit=40,
    configuration=HOLDS,
    running_since=before(minutes=6, seconds=12),
    numbers=AgentNumbers(runs=86, total_tasks=61, completed_tasks=56, failed_tasks=2, median_turns=19, median_duration=520_000, tokens=17_300_000),
    runs=tuple(AgentRun(**{name: getattr(run, name) for name in AgentRun.__struct_fields__}) for run in RUNS),
    endings=(Ending("completed", 79), Ending("turn_limit", 3), Ending("api_error", 2), Ending("stopped", 2)),
)  # fmt: skip
FAILED_AGENT = AgentView(
    id="asonnet1", project_id=PROJECT.id, name="sonnet-1", type="task", status="error", runner="command",
    command="python -m agent '{prompt}'", last_error="The program ended with exit code 127: no such file.", last_error_at=before(minutes=3),
)  # fmt: skip

SESSIONS = SessionList(
    project_id=PROJECT.id,
    sessions=(
        SessionRow(id="sess1", title="Cache parsed wheels between resolver runs", agent_name="opus-1", message_count=41, tool_call_count=171, created_at=before(minutes=7), updated_at=before(seconds=4)),
        SessionRow(id="sess2", title="Retry index downloads with backoff", agent_name="opus-2", message_count=22, tool_call_count=96, created_at=before(minutes=9), updated_at=before(minutes=2)),
        SessionRow(id="sess3", title="Reuse one TLS session per index", is_active=False, message_count=18, tool_call_count=1204, created_at=before(days=3), updated_at=before(days=3)),
    ),
    older="?before=sess3",
)  # fmt: skip

WORKTREES = WorktreeList(
    project_id=PROJECT.id,
    worktree_root=".worktrees",
    worktrees=(
        WorktreeRow(id="w1", branch="agent/k7f2q9/cache-parsed-wheels-between-resolver-runs", base_branch="main", path="~/src/wheelwright/.worktrees/k7f2q9-cache-parsed-wheels", status="active", task_id="k7f2q9", task_title="Cache parsed wheels between resolver runs", created_at=before(minutes=7), number=1, ports=(20_000, 20_009), ahead=4, behind=1, size=214_000_000, measured_at=before(minutes=3),
            steps=(WorktreeStep(name="Copy env files", stage="done", duration=20, log=".env was copied with its mode.", again="/worktrees/w1/steps/env/again"),)),
        WorktreeRow(id="w4", branch="agent/z2z2z2/lost", base_branch="main", path="~/src/wheelwright/.worktrees/z2z2z2-lost", status="error", problem="The folder ~/src/wheelwright/.worktrees/z2z2z2-lost is gone.", created_at=before(days=9), number=12, ports=(20_110, 20_119), size=0, is_larger=True, measured_at=before(days=1), actions=(Action(label="Make it again", path="/worktrees/w4/restore", icon="retry", tone="primary"),)),
        WorktreeRow(
            id="w2", branch="agent/q9k5we/fetch-metadata", base_branch="main", path="~/src/wheelwright/.worktrees/q9k5we-fetch-metadata", status="error", task_id="q9k5we", task_title="Fetch metadata in parallel, per host",
            last_error="The init script ended with exit code 127.", removable=True, created_at=before(minutes=1),
            steps=(
                WorktreeStep(name="Add worktree", stage="done", duration=300),
                WorktreeStep(name="Copy env files", stage="done", duration=20),
                WorktreeStep(name="Install dependencies", stage="done", duration=9_000, log="Resolved 41 packages in 12ms"),
                WorktreeStep(name="Init script", stage="error", note="exit 127", log="scripts/dev-init: line 4: direnv: command not found"),
            ),
        ),
    ),
    strays=(
        Stray(id="s1", path="/srv/wheelwright/.worktrees/s1", branch="agent/s1s1s1/left", head="4d2a9c0b1e", is_missing=False, lock_reason="agentpane:worktree:s1"),
        Stray(id="s2", path="/srv/wheelwright/.worktrees/s2", branch=None, head="9c0b1e4d2a", is_missing=False, lock_reason="agentpane:worktree:s2"),
    ),
    error="~/src/wheelwright is not a folder.",
    size=214_000_000,
    cleared="agent/c1c1c1/cleared",
    removed=(WorktreeRow(id="w3", branch="agent/p4r6mb/reuse-one-tls-session", base_branch="main", path="x", status="removed", task_id="p4", task_title="Reuse one TLS session per index", created_at=before(days=4), removed_at=before(days=3)),),
)  # fmt: skip

PRUNE = PrunePage(
    project_id=PROJECT.id,
    stale_after_days=14,
    going=(
        Candidate(known=Known(id="w8", status="active", branch="agent/w8w8w8/sort-the-lock-file", base_branch="main", task_id="w8", task_title="Sort the lock file", needed_by=None, last_used_at=before(days=40), size=310_000_000), shown="w8:1:2", uncommitted=3, ahead=2),
        Candidate(known=Known(id="w9", status="error", branch="agent/w9w9w9/gone", base_branch="trunk", task_id=None, task_title=None, needed_by=None, last_used_at=before(days=60), size=None), shown="w9::", ahead=None),
    ),
    kept=(Candidate(known=Known(id="w1", status="active", branch="agent/k7f2q9/cache", base_branch="main", task_id="k7", task_title="Cache", needed_by="The task 'Cache'", last_used_at=before(minutes=7), size=1), kept_because="The task 'Cache' works in it."),),
    gone=(KeptBranch(branch="agent/g1g1g1/gone", base_branch="main", ahead=2), KeptBranch(branch="agent/g2g2g2/merged", base_branch="main", ahead=0)),
    stayed=(KeptBranch(branch="agent/g3g3g3/stayed", base_branch="main", why="It is not as it was shown any more, so it stayed. Look at it again."),),
)  # fmt: skip

AUDIT = AuditList(
    project_id=PROJECT.id,
    rows=(
        AuditRow(id="812", href="/projects/p1/audit/entries/812", timestamp=before(seconds=2), kind="decision", who="Mara Lindqvist", what="Decision", argument="Back off per host, and cap the total at 30 s.", task_id="k7", task_title="Retry index downloads with backoff", outcome="rejected"),
        *(
            AuditRow(id=f"au{n}", href=f"/audit/au{n}", timestamp=before(seconds=16 * n), who="opus-1", what=tool, argument=argument, outcome=outcome, duration=took, task_id="k7", task_title="Retry index downloads with backoff")
            for n, (tool, argument, outcome, took) in enumerate(
                [
                    ("Bash", "curl -s https://index.example/simple/attrs/", "refused", 0),
                    ("Bash", "pytest tests/index -q", "ok", 10_800),
                    ("Edit", "src/wheelwright/index/hosts.py", "ok", 100),
                    ("Bash", "pytest tests/resolver -q", "running", None),
                    ("Bash", "pytest tests/index -q", "failed", 11_400),
                    ("mcp__browser__navigate_to_page", "https://example.org/a/very/long/address", "ok", 61_000),
                ]
            )
        ),
    ),
    total=48_112,
    found=1_284,
    filter=Filter(status="error", since="2026-11-20"),
    query="?status=error&from=2026-11-20",
    paging=Paging(number=24, pages=25, newest="?", newer="?", older="?page=23", oldest="?page=1"),
    tools=(("Bash", "Bash"), ("Edit", "Edit")),
    agents=(("aopus1", "opus-1"),),
    tasks=(("k7", "Retry index downloads with backoff"),),
    people=(("Mara Lindqvist", "Mara Lindqvist"),),
    totals=Totals(
        tools=(ToolTotal(tool="Bash", calls=512, failed=37, total=3_600_000, median=4_100), ToolTotal(tool="mcp__browser__navigate_to_page", calls=8, failed=0, total=61_000, median=900)),
        calls=520,
        failed=31,
        refused=6,
        slowest=(AuditRow(id="au9", href="/audit/au9", timestamp=before(hours=1), what="Bash", argument="pytest -q --cov", outcome="ok", duration=134_000),),
    ),
)  # fmt: skip
CHAIN = ChainView(
    project_id=PROJECT.id,
    number=48_112,
    hash="9f2c1e7a04bd" * 5 + "abcd",
    verified_at=before(minutes=4),
    verified_by="Mara Lindqvist",
    verdict="The chain is whole: 48,100 entries.",
    is_whole=True,
    verified_to=48_100,
)
CHAINS = {
    "not verified": ChainView(project_id=PROJECT.id, number=12, hash="ab" * 32),
    "not begun": ChainView(project_id=PROJECT.id),
    "going on": ChainView(
        project_id=PROJECT.id, number=200_000, hash="ab" * 32, going_on=True, done=40_000, of=200_000
    ),
    "broken": ChainView(
        project_id=PROJECT.id,
        number=12,
        hash="ab" * 32,
        verified_at=before(hours=2),
        verified_by="Jo",
        verdict="The chain is broken. Entry 5 is not as it was written.",
        verified_to=4,
    ),
}
AUDIT_ENTRY = AuditEntry(
    row=AUDIT.rows[5],
    agent_id="aopus1",
    agent_name="opus-1",
    turn_number=9,
    status="error",
    input=Part(text='{\n    "command": "pytest tests/index -q",\n    "timeout": 120000\n}', size=62),
    output=Part(text="..........F....                      [100%]\nE   AssertionError: assert 1700000001.0 == 1700000030.0\n1 failed, 14 passed in 10.92s\n", size=204_800, number=2, parts=4, before="?", after="?output=3"),
    error="exit code 1",
    redacted=2,
    links=(LinkView(48_097, "tool_call", "77ab03f1" * 8, "c01d9e24" * 8),),
    run_id="run0",
    session_id="sess1",
    event=209,
)  # fmt: skip
CHAIN_ENTRY = ChainEntryView(
    row=AUDIT.rows[0],
    number=812,
    kind="decision",
    actor="Mara Lindqvist",
    content='{\n  "decision": "rejected"\n}',
    hash="77ab03f1" * 8,
    previous_hash="c01d9e24" * 8,
)

_CUT = {"project_id": PROJECT.id, "project_name": PROJECT.name, "agent_id": "aopus1", "agent_name": "opus-1"}
INTERRUPTED = (
    Interrupted(
        run_id="run1",
        number=2,
        task_id="k7f2q9",
        title="Cache parsed wheels between resolver runs",
        **_CUT,
        session_id="sess1",
        branch="agent/k7f2q9/cache-parsed-wheels",
        ended_at=before(minutes=4),
        turns=14,
        work_saved=True,
        files_changed=3,
        lines_added=120,
        lines_removed=8,
        resumable=True,
    ),
    Interrupted(
        run_id="run2",
        number=1,
        task_id="d8w1ny",
        title="Read PEP 751 lock files",
        **_CUT,
        session_id="sess2",
        branch="agent/d8w1ny/read-pep-751-lock-files",
        ended_at=before(minutes=4),
        turns=0,
        work_saved=False,
        files_changed=0,
        lines_added=0,
        lines_removed=0,
        resumable=False,
    ),
)

BUDGET = BudgetPage(
    title="Budgets",
    action="/projects/p1wheelwright/budgets",
    crumbs=(("", "Budgets"),),
    spans=(
        SpanView(
            span="day",
            title="Each day",
            about="All runs of this project together.",
            fields=(
                FieldView(name="day_tokens", label="Tokens", value="1000"),
                FieldView(name="day_money", label="Money, <b>USD</b>", other="$5.00"),
            ),
            action="ask",
            actions=(("stop", "stop the run"), ("ask", "pause and ask a person")),
            gauges=(
                Gauge(name="Turns", used="18 turns"),
                Gauge(name="Tokens", used="at least 950 tokens", most="1,000 tokens", share=95, state="near"),
                Gauge(name="Money", used="unknown", most="$5.00"),
            ),
            notes=("2 of 5 runs today did not tell their tokens: for these turns and time count.",),
        ),
    ),
    notes=("A command tells its turns and tokens only where AgentPane knows its output.",),
    alerts=(
        AlertView(
            id="b1",
            line="This run has used 1,200 tokens; the limit is 1,000 tokens.",
            word="asks",
            is_open=True,
            title="Retry <script>",
            run_id="r1",
            at=before(minutes=4),
        ),
        AlertView(
            id="b2",
            line="This task has used $5.10; the limit is $5.00.",
            word="raised",
            by="Mara Lindqvist",
            title="Normalise extras",
            run_id="r2",
            at=before(hours=5),
        ),
    ),
    saved=True,
)
WRONG_BUDGET = msgspec.structs.replace(
    BUDGET, must_confirm=True, saved=False, alerts=(), notes=(),
    form=Entered({"day_tokens": "<10>"}, {"day_tokens": "This project has used 950 tokens today, so this limit is reached at once."}),
)  # fmt: skip
AT_A_LIMIT = QuestionPage(
    id="b1", project_id="p1wheelwright", title="Retry index downloads <b>", agent_id="a1", agent_name="opus-1", run_id="r1",
    session_id="s1", task_id="t1", line="This project today has used 1,200 tokens; the limit is 1,000 tokens.",
    span_words="this project today", measure="tokens", most="1,000 tokens", used="1,200 tokens", used_now="1,340 tokens",
    suggestion="2010", step="1", status="open", word="asks", note="", answered_by="", asked_at=before(minutes=4),
    answered_at=None, alike=2,
)  # fmt: skip
ANSWERED_LIMIT = msgspec.structs.replace(
    AT_A_LIMIT, status="raised", word="raised", answered_by="Mara Lindqvist", answered_at=before(minutes=1), alike=0
)
PRICES = PricesPage(
    prices=(
        Price(
            id="m1", pattern="claude-opus-*", input=Decimal("15.000000"), output=Decimal(75), cache_read=Decimal("1.5")
        ),
        Price(
            id="m2",
            pattern="a-very-long-name-of-a-model-that-somebody-made-up-and-that-does-not-end-2026-11-28",
            input=Decimal("0.1"),
            output=Decimal("0.4"),
        ),
    ),
    unpriced=(("gpt-5-codex", 1_250_000), ("", 300)),
    forms={"m2": Entered({"input": "free"}, {"input": "Give a number."})},
)
