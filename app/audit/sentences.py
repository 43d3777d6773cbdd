"""What a verification found, in words."""

from app.audit.verifying import Verified
from app.web.formats import plural


def verdict(verified: Verified) -> str:
    """One or two sentences."""
    if verified.broken:
        return f"The chain is broken. {verified.broken.sentence}"
    if verified.number == 0:
        return "The chain has not begun: no agent has called a tool yet, and nobody has decided anything."
    emptied = f" The calls of {plural(verified.emptied, 'entry was', 'entries were')} emptied after the time that the "
    emptied += "project keeps them."
    return f"The chain is whole: {plural(verified.entries, 'entry', 'entries')}.{emptied if verified.emptied else ''}"
