"""A question of a run, asked without a program."""

from app.permissions.asking import Asker, Call, ask
from app.permissions.rows import PermissionRow
from app.runners.base import ToolStarted
from app.runs.claiming import Claim
from tests.work import _recorder, begin, launch


async def asking_run(project_id: str, title: str = "Normalise extras") -> Claim:
    """A run that is at work."""
    claim = await begin(project_id, title)
    await launch(claim)
    return claim


def asker_of(claim: Claim) -> Asker:
    return Asker(
        project_id=claim.project_id, task_id=claim.task_id, agent_id=claim.agent_id, run_id=claim.run_id,
        session_id=claim.session_id, agent_name="claude-1",
    )  # fmt: skip


async def asked(claim: Claim, tool: str = "Bash", rule: str = "", id: str = "1", **given: object) -> PermissionRow:
    """A question for a call that the record shows."""
    recorder = _recorder(claim)
    await recorder.write([ToolStarted(call_id=id, tool=tool, input=given, turn=1)])
    key, audit_id = await recorder.place_of(id)
    rule = rule or tool
    call = Call(
        call_id=key, audit_id=audit_id, tool=tool, input=given, digest=id, asking=(rule,),
        why=f"The rule {rule} asks a person for this call.",
    )  # fmt: skip
    return await ask(asker_of(claim), call)
