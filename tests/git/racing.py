"""A person who keeps committing in the checkout that merges arrive in, and what must be true when both have ended."""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from tests.git.pictures import picture
from tests.git.repositories import USER_ENVIRONMENT, user

#: How people commit: everything, what is staged, one file by name, or with a look at the status before.
_HABITS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("commit", "-q", "-a", "-m", "Mine"),),
    (("add", "mine"), ("commit", "-q", "-m", "Mine")),
    (("commit", "-q", "-m", "Mine", "mine"),),
    (("status", "--short"), ("add", "-A"), ("commit", "-q", "-m", "Mine")),
)


class Race(Struct):
    """What both sides did."""

    root: Path
    started: float
    #: Tries of the person, and the oids of what they committed.
    tries: int = 0
    commits: list[str] = []
    #: Files that came by merges, and how often each reason sent one round again.
    merged: list[str] = []
    again: dict[str, int] = {}

    def told(self, reason: str) -> None:
        """One more refusal after which the merge was tried again."""
        self.again[reason] = self.again.get(reason, 0) + 1

    def line(self, what: str) -> str:
        """The numbers, for people."""
        seconds = time.monotonic() - self.started
        return (
            f"{what}: {len(self.merged)} merges against {len(self.commits)} commits of {self.tries} tried, "
            f"merges tried again {self.again}, lost 0, mixed 0, reverted 0, {seconds:.1f} s"
        )


@asynccontextmanager
async def committing_person(root: Path, pauses_s: tuple[float, ...] = (0.02, 0.1, 0.3)) -> AsyncIterator[Race]:
    """Somebody commits `mine` in `root` all the time, with one of `pauses_s` in between, until the block ends."""
    race, stop = Race(root, time.monotonic(), commits=[], merged=[], again={}), asyncio.Event()
    person = asyncio.create_task(_keep_committing(race, stop, pauses_s))
    try:
        yield race
    finally:
        stop.set()
        await person


async def _keep_committing(race: Race, stop: asyncio.Event, pauses_s: tuple[float, ...]) -> None:
    for habit in itertools.cycle(_HABITS):
        (race.root / "mine").write_text(f"{race.tries + 1}\n")
        codes = [await _git(race.root, *command) for command in habit]
        race.tries += 1
        if codes[-1] == 0:
            # Merges build on commits: the newest one of theirs is theirs, whatever came on top meanwhile.
            race.commits.append(user(race.root, "log", "-1", "--format=%H", "--grep=^Mine", "main"))
        if stop.is_set():
            return
        await asyncio.sleep(random.choice(pauses_s))  # people pause, too


async def _git(root: Path, *args: str) -> int:
    quiet = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
    process = await asyncio.create_subprocess_exec("git", *args, cwd=root, env=USER_ENVIRONMENT, **quiet)
    return await process.wait()


def require_nothing_lost(race: Race) -> None:
    """None lost, none mixed, none reverted, in history, in the tip, and in the person's files and index."""
    root = race.root
    assert race.commits, "the person never committed"
    assert len(set(race.merged)) == len(race.merged) > 0
    reached = user(root, "rev-list", "--min-parents=1", "main").split()
    # Lost: a commit of theirs that main does not have, or a merged file that its tip does not have.
    assert set(race.commits) <= set(reached)
    assert len(user(root, "log", "--format=%H", "--grep=^Mine", "main").split()) == len(set(race.commits))
    assert set(race.merged) <= set(user(root, "ls-tree", "-r", "--name-only", "main").splitlines())
    # Mixed: a commit of theirs with a file of a merge in it, or a merge with theirs.
    assert _touched(root, race.commits) <= {"mine"}
    others = [oid for oid in reached if oid not in race.commits]
    assert _touched(root, others) == set(race.merged)
    # Reverted: from the commit that brought a file on, no commit takes it away.
    assert user(root, "log", "-m", "--first-parent", "--diff-filter=D", "--format=%H", "main") == ""
    assert _as_committed(root)
    assert user(root, "fsck", "--strict", "--full", "--no-dangling", "--no-progress") == ""


def _touched(root: Path, commits: list[str]) -> set[str]:
    """The paths that any of `commits` changed against its first parent."""
    listed = (user(root, "diff-tree", "-r", "--name-only", f"{oid}^1", oid) for oid in commits)
    return {path for each in listed for path in each.splitlines()}


def _as_committed(root: Path) -> bool:
    """Nothing staged and nothing edited, but for what the person did not manage to commit."""
    seen = picture(root)
    return user(root, "status", "--porcelain") in ("", "M mine", "M  mine") and seen.unfinished == ()
