"""The list of resets, and which cleaner knows which database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from pytest_dbguard.core.errors import DatabaseError, did_you_mean
from pytest_dbguard.databases.base import Database, Server
from pytest_dbguard.resets.base import Cleaner, Ledger, Reset
from pytest_dbguard.templates.base import Finish, Template

RESETS: Mapping[str, str] = MappingProxyType(
    {
        "committed": "pytest_dbguard.resets.committed:Committed",
        "rollback": "pytest_dbguard.resets.rollback:Rollback",
        "clone": "pytest_dbguard.resets.clone:Clone",
        "truncate": "pytest_dbguard.resets.truncate:Truncate",
        "none": "pytest_dbguard.resets.none:NoReset",
    }
)
GROUP = "dbguard.resets"
"""The group of entry points under which others add resets."""

_CLEANERS: Mapping[str, str] = MappingProxyType(
    {
        "sqlite": "pytest_dbguard.resets.sqlite_cleaner:SqliteCleaner",
        "postgresql": "pytest_dbguard.resets.postgres_cleaner:PostgresCleaner",
    }
)


def load_reset(name: str) -> Callable[[Cleaner, Any], Reset]:
    """Return the class of a reset, to be called with a cleaner and a router of engines.

    Raises:
        DatabaseError: For an unknown name, naming the nearest one.
    """
    if name in RESETS:
        known: Callable[[Cleaner, Any], Reset] = _load(RESETS[name])
        return known
    others = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in others:
        raise DatabaseError(f"unknown reset {name!r}", hint=did_you_mean(name, [*RESETS, *others]))
    loaded: Callable[[Cleaner, Any], Reset] = others[name].load()
    return loaded


def reset_names() -> tuple[str, ...]:
    """Return the names of all resets there are."""
    return (*RESETS, *sorted(entry.name for entry in entry_points(group=GROUP) if entry.name not in RESETS))


def cleaner_for(database: Database, template: Template, ledger: Ledger) -> Cleaner:
    """Return the cleaner of a fresh copy of a template.

    Raises:
        DatabaseError: For a database that no cleaner knows.
    """
    family = database.url.get_backend_name()
    if family not in _CLEANERS:
        raise DatabaseError(f"no reset knows databases of {family!r}", hint=did_you_mean(family, _CLEANERS))
    cleaner: Cleaner = _load(_CLEANERS[family])(database, template, ledger)
    return cleaner


def finish_for(server: Server) -> Finish | None:
    """Return what prepares a template on this server for its cleaner; None for nothing."""
    if server.kind == "sqlite":
        return None
    from pytest_dbguard.resets.postgres_prepare import prepare

    return prepare


def _load(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)
