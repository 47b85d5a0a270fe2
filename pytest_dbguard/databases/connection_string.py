"""How libpq is told where to connect."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import URL

DRIVER = "postgresql+psycopg"


def connection_string(url: URL) -> str:
    """Return what libpq understands of a URL, with its password."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def missing_driver(extra: str) -> str | None:
    """Return why psycopg cannot be used, with the extra that brings it; None when it can.

    Importing it takes a fifth of a second, so it is imported only where it may lack its library.
    """
    install = f"run: pip install 'pytest-dbguard[{extra}]'"
    if find_spec("psycopg") is None:
        return f"the driver 'psycopg' is not installed; {install}"
    if find_spec("psycopg_binary") or find_spec("psycopg_c"):
        return None
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        return f"the driver 'psycopg' cannot be imported ({error}); {install}"
    return None
