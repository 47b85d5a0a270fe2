"""Which locale of the C library a server gets: it sorts by it before PostgreSQL 17, which has one of its own."""

from __future__ import annotations

import subprocess
from typing import Final

# code point order first, as the builtin locale of PostgreSQL 17 has; "C" knows no letters beyond ASCII
_WANTED: Final = ("C.UTF-8", "en_US.UTF-8", "C")


def utf8_locale() -> str:
    """Return the locale of this system that is nearest to PostgreSQL's own C.UTF-8."""
    try:
        told = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout  # noqa: S607
    except OSError:  # no such program: musl, which takes any name
        return _WANTED[0]
    known = {_plain(line) for line in told.split()}
    return next((name for name in _WANTED if _plain(name) in known), "C")


def _plain(name: str) -> str:
    return name.lower().replace("-", "")
