"""Liveness, readiness, what this machine has, and what an interruption left."""

from typing import Any

from litestar import Controller, Request, Response, get

from app.postgres.errors import is_away
from app.postgres.reading import scalar
from app.projects.frame import main_frame
from app.runs.interrupted import interrupted_runs
from app.system.health import examine, own_database
from app.web.replies import page


class HealthController(Controller):
    """What a load balancer or a supervisor asks."""

    @get("/healthz")
    async def alive(self) -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @get("/readyz")
    async def ready(self) -> Response[dict[str, str]]:
        """The database answers too, with its migrations applied: nothing is served before they are."""
        try:
            await scalar("SELECT 1")
        except Exception as error:
            if not is_away(error):
                raise
            return Response({"status": "the database is away"}, status_code=503)
        return Response({"status": "ok"})


class MachineController(Controller):
    """`/system/health`: what AgentPane needs of this machine, for people; `agentpane doctor` prints the same."""

    @get("/system/health")
    async def show(self, request: Request[Any, Any, Any]) -> Response[str]:
        """Each thing that was looked at, and the known agent programs."""
        found = await examine(request.app.state.settings, own_database())
        return page(request, "system/health.html", await main_frame(request, "This machine"), health=found)


class RecoveryController(Controller):
    """`/system/recovery`: the runs that the server interrupted by going away."""

    @get("/system/recovery")
    async def show(self, request: Request[Any, Any, Any]) -> Response[str]:
        """Each with what was saved, and what can be done."""
        frame = await main_frame(request, "Recovery")
        return page(request, "system/recovery.html", frame, runs=await interrupted_runs())
