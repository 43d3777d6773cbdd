"""A person who does the main job all day: adds tasks, reads reviews, decides, retries, cancels, and commits herself."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from msgspec import Struct

from tests.git.repositories import user
from tests.invariants import Witness

_CARD = re.compile(r"<article.*?</article>", re.DOTALL)
_DIGEST = re.compile(r'data-diff-digest="([^"]+)"')
_TOKEN = re.compile(r'name="_csrf_token" value="([^"]+)"')
#: Cards that nobody has decided on yet, at most.
_OPEN = 7
#: A server that is up says one of these; 503 while its database is away.
_ANSWERS = (200, 303, 404, 409, 503)


class Card(Struct, frozen=True):
    """What a card on the board shows."""

    id: str
    stage: str
    agent: str
    session: str


class Person:
    """One browser without JavaScript, and a shell in the repository."""

    def __init__(self, name: str, seed: int, project: str, witness: Witness) -> None:
        self.name = name
        self.project = project
        self.witness = witness
        self.dice = random.Random(f"{name} {seed}")
        self.answers: Counter[str] = Counter()
        self.sessions: list[str] = []
        #: What they are at, or did last.
        self.doing = ""
        self._http: httpx.AsyncClient | None = None
        self._token = ""
        self._number = 0

    async def works(self, url: str) -> None:
        """Do one thing after the other until the server is gone."""
        async with self.online(url):
            while True:
                await self._does_something(await self.reads_board())
                await asyncio.sleep(self.dice.uniform(0, 0.1))

    @asynccontextmanager
    async def online(self, url: str) -> AsyncIterator[None]:
        """With a browser that has the board open."""
        async with httpx.AsyncClient(base_url=url, timeout=60) as self._http:
            await self.reads_board()
            yield

    async def _does_something(self, cards: list[Card]) -> None:
        still_open = [card for card in cards if card.stage != "done"]
        if len(still_open) < _OPEN:
            return await self.adds_task()
        if self.dice.random() < 0.08:
            return await asyncio.to_thread(self.commits)
        card = self.dice.choice(still_open if still_open and self.dice.random() < 0.8 else cards)
        match card.stage:
            case "idle":
                await self.sends(f"/tasks/{card.id}/move", column="in_progress")
            case "error":
                await self._settles(card)
            case "starting" | "running":
                await self._disturbs(card)
            case "review":
                await self.decides(card.id)
            case "done" if self.dice.random() < 0.15:
                await self.sends(f"/tasks/{card.id}/undo", reason="It was not asked for.")

    async def _settles(self, card: Card) -> None:
        if not card.agent:
            return
        match self.dice.randrange(4):
            case 0:
                await self.sends(f"/tasks/{card.id}/move", column="waiting_approval")
            case 1:
                await self.sends(f"/tasks/{card.id}/cancel")
            case _:
                await self.sends(f"/agents/{card.agent}/retry")

    async def _disturbs(self, card: Card) -> None:
        match self.dice.randrange(12):
            case 0:
                await self.sends(f"/tasks/{card.id}/cancel", **self.dice.choice([{}, {"discard": "true"}]))
            case 1 | 2 if card.session:
                await self.sends(f"/sessions/{card.session}/messages", text="Mind the gap.")

    async def decides(self, task: str) -> None:
        """Read the review and approve what it shows, or send it back, or give it up."""
        page = await self.reads(f"/tasks/{task}/review")
        digest = _DIGEST.search(page)
        choice = self.dice.random()
        if digest is None or "No changes" in page or choice < 0.2:
            await self.sends(f"/tasks/{task}/reject", reason="Say it once more.")
        elif choice < 0.3:
            await self.sends(f"/tasks/{task}/cancel")
        else:
            await self._approves(task, digest[1])

    async def _approves(self, task: str, digest: str) -> None:
        method = self.dice.choice(["merge", "squash", "rebase"])
        keep = {"keep_branch": "true"} if self.dice.random() < 0.2 else {}
        answer = await self.sends(
            f"/tasks/{task}/approve", digest=digest, merge_method=method, approved_by=self.name, **keep
        )
        if answer == 409 and self.dice.random() < 0.5:
            await self.sends(f"/tasks/{task}/reject", reason="It does not merge.")

    async def adds_task(self) -> None:
        """A new card, at work at once."""
        self._number += 1
        title = f"{self.name}'s {self._number}, {self.dice.randrange(10_000)}"
        await self.sends(f"/projects/{self.project}/tasks", title=title, start="true")

    def commits(self) -> None:
        """Write and commit a file in the checkout that the server merges into; another git may be just at it."""
        name = f"{self.name}-{self.dice.randrange(1_000_000)}.txt"
        content = f"{name}\n"
        (self.witness.root / name).write_text(content)
        self.witness.wrote(content.encode(), name)
        user(self.witness.root, "add", name, check=False)
        user(self.witness.root, "commit", "-q", "-m", f"Add {name}", "--", name, check=False)

    async def reads_board(self) -> list[Card]:
        """The cards, as the page shows them."""
        cards = [_card(text) for text in _CARD.findall(await self.reads(f"/projects/{self.project}"))]
        self.sessions = [card.session for card in cards if card.session]
        return cards

    async def reads(self, path: str) -> str:
        """A page; empty where there is none just now."""
        assert self._http is not None
        self.doing = f"GET {path}"
        page = await self._http.get(path, follow_redirects=True)
        assert page.status_code in _ANSWERS, f"GET {path}: {page.status_code}\n{page.text}"
        if found := _TOKEN.search(page.text):
            self._token = found[1]
        return page.text if page.status_code == 200 else ""

    async def sends(self, path: str, **fields: str) -> int:
        """A form; how it was answered."""
        assert self._http is not None
        self.doing = f"POST {path} {fields}"
        answer = await self._http.post(path, data={"_csrf_token": self._token, **fields})
        verb = path.rsplit("/", 1)[1]
        self.answers[f"{verb} {answer.status_code}"] += 1
        assert answer.status_code in _ANSWERS, f"POST {path} {fields}: {answer.status_code}\n{answer.text}"
        return answer.status_code


def _card(text: str) -> Card:
    def first(pattern: str) -> str:
        found = re.search(pattern, text)
        return found[1] if found else ""

    return Card(
        first(r'data-task-id="(\w+)"'),
        first(r'data-stage="(\w+)"'),
        first(r'"/agents/(\w+)/retry"'),
        first(r'"/sessions/(\w+)"'),
    )


def notes_of(path: Path) -> list[tuple[bytes, str]]:
    """What agents noted as written: content and name; the last line may be half written."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    whole = [line.split() for line in lines if line.endswith("\n")]
    return [(f"{run} {n}\n".encode(), f"work/{run}-{n}.txt") for run, n in whole]
