"""Forms carry a token that another site cannot know: field `_csrf_token`, or header `x-csrftoken` from scripts."""

import hashlib

from litestar.config.csrf import CSRFConfig

FIELD = "_csrf_token"
HEADER = "x-csrftoken"


def csrf_config(secret: str, secure: bool = False) -> CSRFConfig:
    """Litestar's protection; `secure` where the site is only reached by https.

    The cookie's name comes from the secret: after the secret changes, an old cookie is not one of ours any more,
    where under a fixed name it would be sent back and refused for ever.
    """
    name = hashlib.sha256(b"csrf cookie name\0" + secret.encode()).hexdigest()[:8]
    return CSRFConfig(
        secret=secret,
        cookie_name=f"agentpane_csrf_{name}",
        header_name=HEADER,
        cookie_httponly=True,
        cookie_samesite="lax",
        cookie_secure=secure,
    )
