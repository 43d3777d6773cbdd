"""What holds for a project, an agent, a task: everybody's words put together, the repository's read from git."""

import msgspec

from app.configuration.layers import OWN_MODEL, project_layer, server_layers
from app.configuration.repository import Repository, read_repository
from app.configuration.resolving import resolve
from app.configuration.sources import DEFAULT, Configuration, Layer, Note
from app.git.refusals import GitError, GitRefused
from app.projects.rows import ProjectConfig, ProjectRow
from app.settings import Settings


async def configuration_of(
    settings: Settings, project: ProjectRow, *above: Layer, branch: str = "", has_own_models: bool = False
) -> Configuration:
    """What holds with the layers `above` the project: an agent's, a task's.

    Raises `GitRefused` and `GitError` where the repository cannot be read.
    """
    repository = await read_repository(project, branch)
    return _put_together(settings, project, repository, above, has_own_models)


async def shown_configuration(
    settings: Settings, project: ProjectRow, *above: Layer, branch: str = "", has_own_models: bool = False
) -> Configuration:
    """The same for a page, which says so where the repository cannot be read."""
    try:
        return await configuration_of(settings, project, *above, branch=branch, has_own_models=has_own_models)
    except (GitRefused, GitError) as error:
        note = Note(project.config_path, f"It cannot be read just now, and until it can no agent starts: {error}")
        unread = Repository(branch=branch or project.config.default_branch, notes=(note,))
        return _put_together(settings, project, unread, above, has_own_models)


def confined(project: ProjectRow, configuration: Configuration) -> ProjectRow:
    """The project as what starts programs for it takes it: with the limits that hold."""
    sandbox = configuration.text("sandbox")
    config: ProjectConfig = msgspec.structs.replace(
        project.config,
        sandbox="required" if sandbox == "required" else project.config.sandbox,
        memory_limit_mb=configuration.number("memoryLimitMb"),
        process_limit=configuration.number("processLimit"),
        file_limit_mb=configuration.number("fileLimitMb"),
    )
    return msgspec.structs.replace(project, config=config)


def _put_together(
    settings: Settings,
    project: ProjectRow,
    repository: Repository,
    above: tuple[Layer, ...],
    has_own_models: bool,
) -> Configuration:
    layers = [*server_layers(settings), project_layer(project.config), *repository.layers]
    if has_own_models:
        layers = [_without_model(layer) for layer in layers]
        layers.append(Layer(source=DEFAULT, values={"model": OWN_MODEL}))
    found = resolve([*layers, *above], trusted=project.config.trust_repository)
    return msgspec.structs.replace(
        found,
        instructions=repository.instructions,
        notes=repository.notes,
        branch=repository.branch,
        commit=repository.commit,
    )


def _without_model(layer: Layer) -> Layer:
    values = {key: said for key, said in layer.values.items() if key != "model"}
    return msgspec.structs.replace(layer, values=values)
