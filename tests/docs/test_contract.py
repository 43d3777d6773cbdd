"""The contract names exactly what the code offers: settings, commands, pages, forms, error codes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from litestar.routes import HTTPRoute
from msgspec import Struct

from app.agents.forms import AgentForm
from app.asgi import create_app
from app.budgets.forms import AgentBudget, BudgetAnswer, PriceForm, ProjectBudgets, TaskBudget
from app.cli import COMMANDS, agentpane
from app.configuration.forms import ConfigurationForm, PromptForm
from app.errors import DomainError
from app.permissions.forms import PermissionAnswer
from app.projects.forms import Deletion, NewProject, ProjectSettings, Relocation
from app.reviews.forms import Approval, Rejection
from app.runners.base import ErrorType
from app.sessions.forms import Message
from app.settings import AGENT_ENVIRONMENT, Settings, read_settings
from app.tasks.forms import Cancellation, Move, NewTask, TaskEdit
from app.trials.forms import TrialForm
from app.web.controllers import ThemeForm
from app.web.error_words import _BY_CODE
from app.web.errors import _CODES
from app.worktrees.forms import Clear, Prune

ROOT = Path(__file__).parents[2]
CONTRACT = (ROOT / "docs" / "contract.md").read_text()

FORMS: dict[str, type[Struct]] = {
    "/projects": NewProject,
    "/projects/{id}/settings": ProjectSettings,
    "/projects/{id}/configuration": ConfigurationForm,
    "/projects/{id}/prompts/{name}": PromptForm,
    "/agents/{id}/prompts/{name}": PromptForm,
    "/projects/{id}/relocate": Relocation,
    "/projects/{id}/delete": Deletion,
    "/projects/{id}/tasks": NewTask,
    "/projects/{id}/agents": AgentForm,
    "/agents/{id}/try": TrialForm,
    "/tasks/{id}": TaskEdit,
    "/tasks/{id}/move": Move,
    "/tasks/{id}/cancel": Cancellation,
    "/tasks/{id}/approve": Approval,
    "/tasks/{id}/reject": Rejection,
    "/permissions/{id}/answer": PermissionAnswer,
    "/projects/{id}/budgets": ProjectBudgets,
    "/agents/{id}/budget": AgentBudget,
    "/tasks/{id}/budget": TaskBudget,
    "/budgets/{id}/answer": BudgetAnswer,
    "/prices": PriceForm,
    "/sessions/{id}/messages": Message,
    "/projects/{id}/worktrees/prune": Prune,
    "/projects/{id}/worktrees/clear": Clear,
    "/theme": ThemeForm,
}


def section(heading: str) -> str:
    """What stands below a heading of the second level."""
    return CONTRACT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def table_rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables in `text`."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


class _Asked(dict[str, str]):
    """An environment that remembers which names were looked up in it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return default


def test_every_setting_is_told() -> None:
    asked = _Asked()
    read_settings(asked)
    assert len(asked.names) >= len(Settings.__struct_fields__) - 1
    told = quoted(section("Environment"))
    assert asked.names - set(told) == set()


def test_every_variable_of_the_scripts_and_of_a_run_is_told() -> None:
    sources = [path for path in (ROOT / "bin").iterdir() if path.is_file()] + [ROOT / "app" / "runs" / "environment.py"]
    named = {name for path in sources for name in re.findall(r"\bAGENTPANE_[A-Z]+(?:_[A-Z]+)*", path.read_text())}
    told = set(quoted(section("Environment")))
    assert {"AGENTPANE_VENV", "AGENTPANE_RUN_ID"} <= named
    assert named - told == set()
    assert {name for name in AGENT_ENVIRONMENT if name.isupper()} - told == set()


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name."""
    for name in COMMANDS:
        command = agentpane.get_command(click.Context(agentpane), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from ((f"agentpane {name} {inner}", each) for inner, each in command.commands.items())
        else:
            yield f"agentpane {name}", command


def test_every_command_is_told_and_no_other() -> None:
    told = {quoted(row[0])[0] for row in table_rows(section("Commands")) if row[0].startswith("`agentpane ")}
    assert told == {name for name, _ in commands()}


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=lambda each: each if isinstance(each, str) else "")
def test_a_command_is_told_with_its_options(name: str, command: click.Command) -> None:
    row = next(row for row in table_rows(section("Commands")) if row[0] == f"`{name}`")
    told = {word for word in quoted(row[1]) if word.startswith("--")}
    taken = {param.opts[0] for param in command.params if isinstance(param, click.Option)}
    assert told - {"--data-dir"} == taken - {"--data-dir"}
    assert ("--data-dir" in taken) == (name not in ("agentpane db new", "agentpane audit script"))


def served(tmp_path: Path) -> dict[str, set[str]]:
    """Each path of the application, in the contract's spelling, with its methods."""
    routes: dict[str, set[str]] = {}
    for route in create_app(Settings(data_dir=tmp_path)).routes:
        assert isinstance(route, HTTPRoute)
        path = re.sub(r"\{message_id:str\}", "{message}", route.path)
        path = re.sub(r"\{(\w+_id):str\}", "{id}", path)
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", path)
        routes[path] = set(route.methods) - {"OPTIONS", "HEAD"}
    return routes


def told_pages() -> dict[str, tuple[set[str], str]]:
    """Each path that the contract names, with its methods and the words of its row."""
    pages: dict[str, tuple[set[str], str]] = {}
    for row in table_rows(section("Pages and forms")):
        for path in quoted(row[0]):
            if path.startswith("/"):
                pages[path] = set(re.findall(r"\b(GET|POST)\b", row[1])), row[1]
    return pages


def test_every_page_is_told_with_its_methods_and_no_other(tmp_path: Path) -> None:
    assert {path: methods for path, (methods, _) in told_pages().items()} == served(tmp_path)


@pytest.mark.parametrize(("path", "form"), FORMS.items(), ids=FORMS)
def test_every_field_of_a_form_is_told(path: str, form: type[Struct]) -> None:
    _, words = told_pages()[path]
    assert set(form.__struct_fields__) - set(quoted(words)) == set()


def test_what_is_not_built_is_not_served(tmp_path: Path) -> None:
    planned = [path for path in quoted(section("Not built yet")) if path.startswith("/")]
    assert "/login" in planned
    assert [path for path in served(tmp_path) for plan in planned if path == plan or path.startswith(f"{plan}/")] == []


def test_every_error_code_is_told_and_no_other() -> None:
    told = {word for word in quoted(section("Errors")) if re.fullmatch(r"[A-Z_]+", word)}
    assert told == codes()


def codes() -> set[str]:
    """Every code that an error of ours can carry: its class's own, given where it is raised, or made from a status."""
    found = {*_CODES.values(), *_BY_CODE}
    for module in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (*_classes(), "Failure"):
                found |= {str(each.value) for each in node.args if isinstance(each, ast.Constant) and _is_code(each)}
    return found | {each.default_code for each in _all_errors(DomainError)}


def _classes() -> set[str]:
    return {each.__name__ for each in _all_errors(DomainError)}


def _all_errors(kind: type[DomainError]) -> set[type[DomainError]]:
    ours = {each for each in kind.__subclasses__() if each.__module__.startswith("app.")}
    return {kind, *ours, *(deeper for each in ours for deeper in _all_errors(each))}


def _is_code(value: ast.Constant) -> bool:
    return isinstance(value.value, str) and re.fullmatch(r"[A-Z][A-Z_]{3,}", value.value) is not None


def test_a_run_that_could_not_be_set_up_ends_as_told() -> None:
    assert "`setup_failed`" in section("Errors")
    assert "setup_failed" in ErrorType.__args__  # type: ignore[attr-defined]
