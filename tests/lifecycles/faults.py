"""What may go wrong while a server carries out a command."""

from msgspec import Struct


class HangsUp(Struct, frozen=True):
    """The browser of the first command goes away after so many turns of the server's event loop."""

    turns: int


class CrashAfterTurns(Struct, frozen=True):
    """The server is killed after so many turns of its event loop."""

    turns: int


class CrashAfter(Struct, frozen=True):
    """The server is killed after so many milliseconds, also in the middle of what a thread does."""

    milliseconds: int


class DatabaseCut(Struct, frozen=True):
    """The server's connections to its database are cut after so many milliseconds."""

    milliseconds: int


Fault = HangsUp | CrashAfterTurns | CrashAfter | DatabaseCut
