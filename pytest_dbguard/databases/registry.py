"""The list of database providers, and which of them a run takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType

from pytest_dbguard.core.errors import DatabaseError, did_you_mean
from pytest_dbguard.databases.base import Provider

PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "sqlite": "pytest_dbguard.databases.sqlite:SqliteProvider",
        "postgres-embedded": "pytest_dbguard.databases.embedded_postgres:EmbeddedPostgresProvider",
    }
)
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Choice:
    """A provider and the reasons, one a line, why it was taken."""

    provider: Provider
    reasons: tuple[str, ...]


def load_provider(kind: str) -> Provider:
    """Return the provider of this kind, without starting anything.

    Raises:
        DatabaseError: For an unknown kind, naming the nearest one.
    """
    if kind not in PROVIDERS:
        raise DatabaseError(f"unknown database {kind!r}", hint=did_you_mean(kind, [AUTO, *PROVIDERS]))
    module, _, attribute = PROVIDERS[kind].partition(":")
    provider: Provider = getattr(import_module(module), attribute)()
    return provider


def choose(kind: str | None, source: str = "the configuration") -> Choice:
    """Return the provider for `kind`; None and "auto" mean SQLite.

    "auto" never starts a server, even where one could start: whether the tests of a project run on SQLite or on
    PostgreSQL must not depend on which wheels a machine happens to have.
    """
    if kind is None or kind == AUTO:
        reason = "sqlite: no other database is configured, and it starts everywhere"
        return Choice(load_provider("sqlite"), (reason,))
    return Choice(load_provider(kind), (f"{kind}: asked for by {source}",))


def can_start(provider: Provider) -> None:
    """Raise DatabaseError with the provider's reason when it is known that no database can start here."""
    reason = provider.available()
    if reason is not None:
        raise DatabaseError(f"the database {provider.kind!r} cannot start: {reason}")
