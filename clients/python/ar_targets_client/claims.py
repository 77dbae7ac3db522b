"""What a token says of itself. Only the server can verify it; nothing is trusted for it here."""

import base64
import json

from .fields import ID


def project_of(token: str) -> int | None:
    """The id of the project whose token this is; None for a user's, and for what is none."""
    return _subject(token, "project")


def user_of(token: str) -> int | None:
    """The id of the user whose token this is; None for a project's, and for what is none."""
    return _subject(token, "user")


def _subject(token: str, kind: str) -> int | None:
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return ID(int(claims["sub"])) if claims["kind"] == kind else None
    except (IndexError, KeyError, TypeError, ValueError, RecursionError):
        return None
