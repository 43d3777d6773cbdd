"""The one composition root: settings in, the whole application out."""

import logging
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from app.accounts.people import person_of, remember_visitor
from app.agents.controllers import AgentController, ProjectAgentsController
from app.agents.prompts import AgentPromptsController
from app.audit.controllers import AuditController, ProjectAuditController
from app.board.agents import AgentActionsController
from app.board.controllers import BoardController, CardController
from app.board.overview import OverviewController
from app.board.sessions import SessionActionsController
from app.budgets.controllers import (
    AgentBudgetController,
    PriceController,
    ProjectBudgetController,
    TaskBudgetController,
)
from app.configuration.controllers import ConfigurationController
from app.events.fanout import Fanout
from app.events.recording import CHANNEL
from app.git.running import require_git
from app.permissions.controllers import PermissionController
from app.postgres.listening import Listener
from app.postgres.opening import database
from app.postgres.sole import sole_server
from app.projects.controllers import NewProjectController, ProjectSettingsController
from app.reviews.controllers import ReviewController
from app.reviews.mending import mend_merges
from app.runners.registry import RUNNERS
from app.runs.background import restart_background
from app.runs.controllers import BudgetQuestionController, RunController
from app.runs.engine import Engine
from app.runs.recovering import forget_state_dirs, recover
from app.sessions.controllers import SessionController
from app.sessions.listing import SessionListController
from app.settings import Settings
from app.system.controllers import HealthController, MachineController, RecoveryController
from app.tasks.controllers import TaskController
from app.trials.controllers import TrialController
from app.trials.keeping import Trials, clear_forgotten
from app.web.agents import NoAgents
from app.web.assets import static_file
from app.web.controllers import PatternsController, ThemeController
from app.web.csrf import csrf_config
from app.web.errors import exception_handlers
from app.web.limits import REQUEST_BODY
from app.web.security import AllowedHosts, add_security_headers, own_names
from app.worktrees.controllers import ProjectWorktreesController, WorktreeController

log = logging.getLogger(__name__)

CONTROLLERS: list[ControllerRouterHandler] = [
    HealthController,
    MachineController,
    OverviewController,
    NewProjectController,
    ProjectSettingsController,
    ConfigurationController,
    BoardController,
    CardController,
    TaskController,
    ReviewController,
    ProjectAgentsController,
    AgentController,
    AgentPromptsController,
    AgentActionsController,
    TrialController,
    SessionActionsController,
    RunController,
    RecoveryController,
    PermissionController,
    ProjectBudgetController,
    AgentBudgetController,
    TaskBudgetController,
    BudgetQuestionController,
    PriceController,
    SessionListController,
    SessionController,
    ProjectWorktreesController,
    WorktreeController,
    ProjectAuditController,
    AuditController,
    ThemeController,
    PatternsController,
    static_file,
]


def create_app(settings: Settings) -> Litestar:
    """The application. Its lifespan starts the database, brings it up to date, recovers, and starts the engine."""
    fanout = Fanout()
    return Litestar(
        route_handlers=CONTROLLERS,
        lifespan=[_lifespan],
        state=State({"settings": settings, "fanout": fanout, "shutdown": _Shutdown(fanout), "trials": Trials()}),
        dependencies={"person": Provide(person_of)},
        exception_handlers=dict(exception_handlers()),
        csrf_config=csrf_config(secret_key(settings), secure=urlsplit(settings.base_url).scheme == "https"),
        middleware=[AllowedHosts(own_names(settings.host, settings.base_url, settings.allowed_hosts)), NoAgents()],
        before_send=[add_security_headers, remember_visitor],
        request_max_body_size=REQUEST_BODY,
        openapi_config=None,
        logging_config=None,
    )


class _Shutdown:
    """Set by the signal handler before anything else, since the server waits for open streams to end."""

    def __init__(self, fanout: Fanout) -> None:
        self._fanout = fanout

    def set(self) -> None:
        self._fanout.close()


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    fanout: Fanout = app.state.fanout
    async with AsyncExitStack() as stack:
        await require_git()
        url = await stack.enter_async_context(database(settings.database_url, settings.data_dir / "postgres"))
        await stack.enter_async_context(sole_server(url))
        fanout.start()
        stack.push_async_callback(fanout.stop)
        listener = Listener(url, CHANNEL, fanout.on_payload, fanout.on_reconnect)
        await listener.start()
        stack.push_async_callback(listener.stop)
        await mend_merges()
        await recover()
        await clear_forgotten()
        await forget_state_dirs(settings.data_dir)
        await restart_background()
        engine = Engine(settings, RUNNERS, fanout)
        app.state.engine = engine
        engine.start()
        stack.push_async_callback(engine.stop)
        stack.push_async_callback(app.state.trials.close)
        yield


def secret_key(settings: Settings) -> str:
    """The secret that signs tokens: the one that was set, else made once in the data folder, readable by its owner."""
    if settings.secret_key:
        return settings.secret_key
    path = Path(settings.data_dir) / "secret_key"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text()
