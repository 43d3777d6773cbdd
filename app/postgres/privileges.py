"""What a child does between fork and exec: PostgreSQL refuses to run as root, and must not outlive us.

On Linux root becomes `nobody` with one ambient capability, CAP_DAC_OVERRIDE, so that a data folder below a
private home can be reached without adding users or opening folders.
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from app.postgres.errors import PostgresError

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def give_away(path: Path) -> None:
    """Make `path` belong to the user that PostgreSQL runs as."""
    if _is_root():
        user = _nobody()
        os.chown(path, user.pw_uid, user.pw_gid)


def before_exec(parent_death: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn` that gives up root; on Linux the child also gets `parent_death` when the parent ends.

    Start the child from the main thread: Linux sends the signal when the thread that forked ends.
    """
    user = _nobody() if _is_root() else None
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    parent = os.getpid()

    def prepare() -> None:
        if user:
            _become(user, libc)
        if libc:  # after the change of user, which clears it
            libc.prctl(_PR_SET_PDEATHSIG, parent_death, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _become(user: pwd.struct_passwd, libc: ctypes.CDLL | None) -> None:
    if libc:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    if libc:
        _keep_file_access(libc)


def _keep_file_access(libc: ctypes.CDLL) -> None:
    mask = 1 << _CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    libc.capset(header, effective_permitted_inheritable)
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def _is_root() -> bool:
    return os.geteuid() == 0


def _nobody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise PostgresError(
            "PostgreSQL does not run as root and this machine has no user 'nobody': "
            "start AgentPane as another user, or name a server in DATABASE_URL."
        ) from None
