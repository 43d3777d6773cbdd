"""Liveness and readiness."""

from litestar import Controller, Response, get

from app.postgres.errors import is_away
from app.postgres.reading import scalar


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
