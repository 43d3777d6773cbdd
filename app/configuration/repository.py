"""Read what a repository says of its agents: `.claude` and `CLAUDE.md`, from the commit of the base branch.

Never from a working copy, and never from the worktree of an agent, which could write there what it likes.
"""

from pathlib import Path

from msgspec import Struct

from app.configuration.documents import read_document
from app.configuration.sources import TEMPLATES, Instructions, Layer, Note, Source, TemplateName
from app.configuration.templates import TemplateRefused, check
from app.git.diffs import blob, printable
from app.git.refusals import GitRefused
from app.git.repository import branch_oid, inspect
from app.git.trees import LINK, OTHER_REPOSITORY, TreeEntry, entries
from app.projects.rows import ProjectRow

#: Bytes of one file. Of the listing of `.claude`, in which other programs keep things too.
MOST_BYTES = 64 * 1024
MOST_LISTING = 1024 * 1024
#: The first of these that is there counts.
_DOCUMENTS = ("config.json", "settings.json")
_INSTRUCTIONS = "CLAUDE.md"


class Repository(Struct, frozen=True, kw_only=True):
    """What a commit of the base branch says: a layer for each file that was read."""

    branch: str
    commit: str = ""
    layers: tuple[Layer, ...] = ()
    instructions: Instructions | None = None
    notes: tuple[Note, ...] = ()


async def read_repository(project: ProjectRow, branch: str = "") -> Repository:
    """What the newest commit of the base branch says. Raises `GitRefused` and `GitError` where git cannot read at all:
    then nobody knows what the repository demands."""
    branch = branch or project.config.default_branch
    repository = await inspect(project.root)
    commit = await branch_oid(repository, branch)
    if commit is None:
        raise GitRefused("base_missing", f"There is no branch {branch} to read the configuration from.")
    return await _Reading(repository.root, repository.prefix, commit, project.config_path).read(branch)


class _Reading:
    """One commit, on its way. Paths are relative to the project's folder."""

    def __init__(self, root: Path, prefix: str, commit: str, folder: str) -> None:
        self._root = root
        self._prefix = prefix
        self._commit = commit
        self._folder = folder
        self._found: dict[str, TreeEntry] = {}
        self._notes: list[Note] = []

    async def read(self, branch: str) -> Repository:
        paths = (self._prefix + self._folder, self._prefix + _INSTRUCTIONS)
        listed, more = await entries(self._root, self._commit, *paths, limit=MOST_LISTING)
        self._found = {entry.path.removeprefix(self._prefix): entry for entry in listed}
        if more:
            self._note(self._folder, "There are too many files in it, and not all of them are looked at.")
        if self._folder in self._found:
            self._note(
                self._folder, f"It is ignored: a folder is expected, and it is {_kind(self._found[self._folder])}."
            )
        return Repository(
            branch=branch,
            commit=self._commit,
            layers=(*await self._document(), *await self._prompts()),
            instructions=await self._instructions(),
            notes=tuple(self._notes),
        )

    async def _document(self) -> list[Layer]:
        there = [path for name in _DOCUMENTS if (path := f"{self._folder}/{name}") in self._found]
        if not there:
            return []
        if len(there) > 1:
            self._note(there[1], f"It is ignored, since {there[0]} is there.")
        if (content := await self._content(there[0])) is None:
            return []
        document = read_document(content)
        for sentence in document.sentences:
            self._note(there[0], sentence)
        return [Layer(source=self._source(there[0]), values=document.values, rules=document.rules)]

    async def _prompts(self) -> list[Layer]:
        folder = f"{self._folder}/prompts/"
        known: dict[str, TemplateName] = {f"{folder}{name}.md": name for name in TEMPLATES}
        layers = []
        for path in [path for path in self._found if path.startswith(folder)][:50]:
            if path not in known:
                self._note(path, f"It is ignored: only {', '.join(f'{name}.md' for name in TEMPLATES)} are prompts.")
            elif (text := await self._text(path)) is not None and self._is_template(path, known[path], text):
                layers.append(Layer(source=self._source(path), prompts={known[path]: text}))
        return layers

    def _is_template(self, path: str, name: TemplateName, text: str) -> bool:
        try:
            check(name, text)
        except TemplateRefused as wrong:
            self._note(path, f"It is ignored. {wrong}")
            return False
        return True

    async def _instructions(self) -> Instructions | None:
        for path in (_INSTRUCTIONS, f"{self._folder}/{_INSTRUCTIONS}"):
            if path in self._found and (text := await self._text(path)):
                return Instructions(self._source(path), self._found[path].oid, len(text), text)
        return None

    async def _text(self, path: str) -> str | None:
        content = await self._content(path)
        if content is None:
            return None
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            self._note(path, "It is ignored: a text in UTF-8 is expected.")
            return None
        return text.replace("\r\n", "\n").strip()

    async def _content(self, path: str) -> bytes | None:
        """The bytes of a plain file that is not too large; None, with a note, for anything else."""
        entry = self._found[path]
        if entry.mode in (LINK, OTHER_REPOSITORY):
            self._note(path, f"It is ignored: a file is expected, and it is {_kind(entry)}.")
            return None
        content, more = await blob(self._root, entry.oid, MOST_BYTES)
        if more:
            self._note(path, f"It is ignored: it has more than {MOST_BYTES // 1024} KiB.")
            return None
        return content

    def _source(self, path: str) -> Source:
        return Source("repository", printable(path), self._commit)

    def _note(self, path: str, text: str) -> None:
        self._notes.append(Note(printable(path), text))


def _kind(entry: TreeEntry) -> str:
    return {LINK: "a link", OTHER_REPOSITORY: "another repository"}.get(entry.mode, "a file")
