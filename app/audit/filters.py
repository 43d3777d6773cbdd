"""Which rows of the audit log somebody wants to see: chosen in the address, written as SQL."""

from datetime import datetime, time
from typing import Annotated, Any, Literal

from litestar import Request
from msgspec import Meta, Struct

from app.errors import Invalid
from app.web.forms import parse_form

Kind = Literal["", "calls", "decisions", "questions", "merges", "retention"]
Status = Literal["", "complete", "error", "failed", "refused", "running", "pending"]
Name = Annotated[str, Meta(max_length=1000)]
Moment = Annotated[str, Meta(max_length=40)]

#: The kinds of entries that a kind of row shows; tool calls are rows of their own.
KINDS: dict[str, tuple[str, ...]] = {
    "decisions": ("decision",),
    "questions": ("question", "answer", "warning"),
    "merges": ("merge", "undo"),
    "retention": ("retention",),
}
_ALL = tuple(kind for kinds in KINDS.values() for kind in kinds)
#: A call that never ran has its own kind of entry.
IS_REFUSED = "EXISTS (SELECT FROM audit_chain f WHERE f.subject_id = a.id AND f.kind = 'tool_refused')"
_STATUS = {
    "failed": f"a.status = 'error' AND NOT {IS_REFUSED}",
    "refused": f"a.status = 'error' AND {IS_REFUSED}",
}


class Filter(Struct, frozen=True, kw_only=True, rename={"since": "from", "until": "to"}):
    """What was chosen; all of it must hold. Empty is any."""

    #: Text in tool, input, output or error; in reasons, titles, names of branches.
    q: Annotated[str, Meta(max_length=200)] = ""
    kind: Kind = ""
    tool: Name = ""
    status: Status = ""
    agent: Name = ""
    task: Name = ""
    run: Name = ""
    #: Who decided or answered.
    person: Name = ""
    #: Days, or moments, in the server's time zone; the last one is included.
    since: Moment = ""
    until: Moment = ""

    @property
    def terms(self) -> dict[str, str]:
        """What was chosen, as it stands in the address."""
        named = {"from": self.since, "to": self.until}
        names = ("q", "kind", "tool", "status", "agent", "task", "run", "person")
        return {name: value for name, value in ({each: getattr(self, each) for each in names} | named).items() if value}

    def calls(self, args: list[Any]) -> str:
        """SQL of the tool calls `a` of the project `$1`; its values are added to `args`."""
        if self.kind not in ("", "calls") or self.person:
            return "a.project_id = $1 AND false"
        parts = ["a.project_id = $1", *self._moments("a.timestamp", args)]
        columns = {"a.tool": self.tool, "a.agent_id": self.agent, "a.task_id": self.task, "a.agent_run_id": self.run}
        parts += [f"{column} = {_add(args, value)}" for column, value in columns.items() if value]
        if self.status:
            parts.append(_STATUS.get(self.status) or f"a.status::text = {_add(args, self.status)}")
        if self.q:
            pattern = _add(args, _containing(self.q))
            in_json = _add(args, _containing(_as_json(self.q)))
            parts.append(
                f"(a.tool ILIKE {pattern} OR a.input::text ILIKE {in_json} OR a.output::text ILIKE {in_json}"
                f" OR a.error ILIKE {pattern})"
            )
        return " AND ".join(parts)

    def entries(self, args: list[Any]) -> str:
        """SQL of the other entries `c` of its chain."""
        if self.kind == "calls" or self.tool or self.status:
            return "c.project_id = $1 AND false"
        kinds = KINDS.get(self.kind, _ALL)
        parts = ["c.project_id = $1", f"c.kind = ANY({_add(args, list(kinds))})", *self._moments("c.at", args)]
        for id in filter(None, (self.task, self.agent, self.run)):
            place = _add(args, id)
            parts.append(f"(c.subject_id = {place} OR strpos(c.content, {place}) > 0)")
        if self.person:
            parts.append(f"c.actor_kind = 'person' AND c.actor = {_add(args, self.person)}")
        if self.q:
            pattern, in_json = _add(args, _containing(self.q)), _add(args, _containing(_as_json(self.q)))
            parts.append(f"(c.content ILIKE {in_json} OR c.actor ILIKE {pattern})")
        return " AND ".join(parts)

    def _moments(self, column: str, args: list[Any]) -> list[str]:
        since, until = read_moment("from", self.since), read_moment("to", self.until, is_end=True)
        bounds = ((">=", since), ("<=", until))
        return [f"{column} {sign} {_add(args, moment)}" for sign, moment in bounds if moment]


def read_filter(request: Request[Any, Any, Any]) -> Filter:
    """What the address asks for. `VALIDATION_ERROR` with a sentence for each field that cannot be read."""
    wanted = parse_form(Filter, {name: [value] for name, value in request.query_params.items()})
    for field, typed in (("from", wanted.since), ("to", wanted.until)):
        read_moment(field, typed)
    return wanted


def read_moment(field: str, typed: str, *, is_end: bool = False) -> datetime | None:
    """A day or a moment in the server's time zone, of a day its beginning or its end. `VALIDATION_ERROR`."""
    if not typed:
        return None
    try:
        moment = datetime.fromisoformat(typed)
        if len(typed) <= len("2026-11-25") and is_end:
            moment = datetime.combine(moment, time.max)
        return moment.astimezone()
    except (ValueError, OverflowError) as error:
        raise Invalid({field: "Write a day as 2026-11-25, or a moment as 2026-11-25T14:30."}) from error


def _add(args: list[Any], value: object) -> str:
    args.append(value)
    kind = "::text" if isinstance(value, str) else "::text[]" if isinstance(value, list) else ""
    return f"${len(args)}{kind}"


def _containing(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _as_json(text: str) -> str:
    """The text as PostgreSQL writes it inside of a JSON string."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
