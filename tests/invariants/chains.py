"""The chain of each project: whole, and every tool call in it as its row says."""

import json

from app.audit.chain import moment
from app.audit.offline_verify import RESULTS, Entry, Walk, call_differs, result_differs
from tests.invariants.facts import Facts, Row


def the_chain_verifies(facts: Facts) -> None:
    calls = {call["id"]: {**call, "at": moment(call["timestamp"])} for call in facts.calls}
    walks: dict[str, Walk] = {}
    seen: dict[str, set[str]] = {"tool_call": set(), "end": set()}
    for row in facts.chain:
        entry = _entry(row)
        assert walks.setdefault(entry.project, Walk()).fits(entry), f"entry {entry.number} does not fit: {row}"
        if entry.kind == "tool_call" or entry.kind in RESULTS:
            call, content = calls.get(entry.subject), json.loads(entry.content)
            assert call is not None, f"the call of entry {entry.number} is missing"
            differs = (call_differs if entry.kind == "tool_call" else result_differs)(content, call)
            assert not differs, f"the call of entry {entry.number} has another {differs}: {call}"
            seen["tool_call" if entry.kind == "tool_call" else "end"].add(entry.subject)
    missing = calls.keys() - seen["tool_call"]
    assert not missing, f"calls are not in the chain: {missing}"
    ended = {id for id, call in calls.items() if call["status"] in ("complete", "error")}
    assert ended == seen["end"], f"ends of calls in the chain and in their rows: {ended ^ seen['end']}"


def decisions_are_in_the_chain(facts: Facts) -> None:
    hashes = {(row["project_id"], row["number"]): row["hash"] for row in facts.chain}
    for noted in facts.noted:
        found = hashes.get((noted["project_id"], noted["number"]))
        assert found == noted["hash"], f"a decision noted {noted}, and the chain has {found} there"
    assert len(facts.noted) == sum(row["kind"] == "decision" for row in facts.chain)


def _entry(row: Row) -> Entry:
    return Entry(
        project=row["project_id"],
        number=row["number"],
        kind=row["kind"],
        subject=row["subject_id"],
        at=moment(row["at"]),
        actor_kind=row["actor_kind"],
        actor=row["actor"],
        content=row["content"],
        previous_hash=row["previous_hash"],
        hash=row["hash"],
    )
