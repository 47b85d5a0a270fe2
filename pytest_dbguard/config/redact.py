"""Keep passwords out of what is printed."""

from __future__ import annotations

import re

_AFTER_SCHEME = re.compile(r"://.*", re.DOTALL)
_BEFORE_HOST = re.compile(r":[^:@\s]*@")
_IN_QUERY = re.compile(r"(?i)\b(\w*(?:password|passwd|pwd|secret|token))=[^&\s]+")


def redact(text: str) -> str:
    """Return text in which nothing that may be a password is left.

    All of a URL after its scheme goes: in a value that is wrong there is no telling where a password begins or ends.
    """
    text = _AFTER_SCHEME.sub("://***", text)
    text = _BEFORE_HOST.sub(":***@", text)
    return _IN_QUERY.sub(r"\1=***", text)


def redact_url(url: str) -> str:
    """Return a database URL without its password, or only its scheme when it cannot be parsed."""
    # SQLAlchemy is worth its import time only to those who have a URL to show.
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        shown = make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return redact(url)
    return _IN_QUERY.sub(r"\1=***", shown)
