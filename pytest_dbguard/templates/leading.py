"""Leads all engines of this process, and URLs in variables, to the database that is being built."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from sqlalchemy import URL, Engine, event, make_url
from sqlalchemy.exc import ArgumentError

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

COMMON_VARIABLES: Final = ("DATABASE_URL", "SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_DATABASE_URL", "DB_URL")
"""Where code commonly looks for a URL. The first is set always, the others where they are set already."""

# all else that an engine was told is about where it connects, and as whom
_KEPT: Final = ("options", "server_settings", "prepare_threshold", "statement_cache_size", "connect_timeout", "timeout")


@contextmanager
def all_lead_to(url: URL, variables: Iterable[str] = ()) -> Iterator[None]:
    """Have code that knows of no engine of ours work on the database, however it gets its own, and on no other one.

    Args:
        url: The database.
        variables: Environment variables to set besides the common ones, each with the driver that it names already.
    """
    names = {COMMON_VARIABLES[0], *variables, *(name for name in COMMON_VARIABLES if name in os.environ)}
    values = {name: _with_driver_of(os.environ.get(name), url) for name in names}

    def dbguard_connects(dialect: Dialect, _record: Any, _args: list[Any], given: dict[str, Any]) -> Any:
        if dialect.name != url.get_backend_name():
            return None
        args, params = dialect.create_connect_args(url.set(drivername=f"{dialect.name}+{dialect.driver}"))
        kept: dict[str, Any] = {name: given[name] for name in _KEPT if name in given}
        if dialect.name == "sqlite":
            kept["check_same_thread"] = False
        return dialect.connect(*args, **{**params, **kept})

    event.listen(Engine, "do_connect", dbguard_connects)
    try:
        with _variables(values):
            yield
    finally:
        event.remove(Engine, "do_connect", dbguard_connects)


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def plain(url: URL) -> str:
    """Return the URL as text, its percent signs taken out where it reads the same without.

    The path of a socket has some, and what puts a URL into an ini file, as env.py does, trips over them.
    """
    text = url.render_as_string(hide_password=False)
    short = unquote(text)
    try:
        return short if "%" not in short and make_url(short) == url else text
    except (ArgumentError, ValueError):
        return text


def _with_driver_of(text: str | None, url: URL) -> str:
    """Return the URL in the words of the one that stands there now: code may put other drivers into what it knows."""
    try:
        before = make_url(text or "")
    except (ArgumentError, ValueError):
        before = url
    name = before.drivername if before.get_backend_name() == url.get_backend_name() else url.drivername
    return plain(url.set(drivername=name))
