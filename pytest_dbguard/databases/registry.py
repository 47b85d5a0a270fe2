"""The list of database providers, and which of them a run takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, Final

from pytest_dbguard.core.errors import DatabaseError, did_you_mean
from pytest_dbguard.databases.base import Provider, StartOptions

# strings, so that a provider that is not used is never imported
PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "sqlite": "pytest_dbguard.databases.sqlite:SqliteProvider",
        "postgres-url": "pytest_dbguard.databases.postgres_url:UrlPostgresProvider",
        "postgres-local": "pytest_dbguard.databases.postgres_local:LocalPostgresProvider",
        "postgres-embedded": "pytest_dbguard.databases.postgres_embedded:EmbeddedPostgresProvider",
        "postgres-container": "pytest_dbguard.databases.postgres_container:ContainerPostgresProvider",
    }
)
AUTO = "auto"
GROUP: Final = "dbguard.databases"
_SCHEMES: Final = MappingProxyType({"postgresql": "postgres-url", "postgres": "postgres-url", "sqlite": "sqlite"})
# those that start a server, the fastest first
_STARTED: Final = ("postgres-embedded", "postgres-local", "postgres-container")
_DEFAULTS: Final = StartOptions()


@dataclass(frozen=True, slots=True)
class Choice:
    """A provider and the reasons, one a line, why it was taken and others were not."""

    provider: Provider
    reasons: tuple[str, ...]


def provider_kinds() -> tuple[str, ...]:
    """Return the kinds there are: ours in the order of `PROVIDERS`, then those of entry points, sorted."""
    return (*PROVIDERS, *sorted(_theirs().keys() - PROVIDERS.keys()))


def load_provider(kind: str) -> Provider:
    """Return the provider of this kind, without starting anything.

    Raises:
        DatabaseError: For an unknown kind, naming the nearest one, or one whose package fails to import.
    """
    if kind not in PROVIDERS and kind not in _theirs():
        raise DatabaseError(f"unknown database {kind!r}", hint=did_you_mean(kind, [AUTO, *provider_kinds()]))
    provider: Provider = _load(kind)()
    return provider


def choose(kind: str | None, source: str = "the configuration", options: StartOptions = _DEFAULTS) -> Choice:
    """Return the provider for `kind`; `source` says what asked for it, or for the URL where no kind is asked for.

    Without a kind the URL decides, and without a URL it is SQLite: whether the tests of a project run on SQLite or
    on PostgreSQL must not depend on which wheels a machine happens to have. Only "auto" looks for what can start.

    Raises:
        DatabaseError: When there is no such provider, or none for such a URL.
    """
    if kind is not None and kind != AUTO:
        return Choice(load_provider(kind), (f"{kind}: asked for by {source}",))
    if options.url is not None:
        kind = _kind_of(options.url, source)
        return Choice(load_provider(kind), (f"{kind}: what the URL of {source} leads to",))
    if kind is None:
        reason = "sqlite: no other database is configured, and it starts everywhere"
        return Choice(load_provider("sqlite"), (reason,))
    return _first_that_starts(options)


def can_start(provider: Provider, options: StartOptions = _DEFAULTS) -> None:
    """Raise DatabaseError with the provider's reason when it is known that no database can start here."""
    reason = provider.available(options)
    if reason is not None:
        raise DatabaseError(f"the database {provider.kind!r} cannot start: {reason}")


def _kind_of(url: str, source: str) -> str:
    scheme = url.partition(":")[0].partition("+")[0].lower()
    if scheme not in _SCHEMES:
        known = ", ".join(sorted(_SCHEMES))
        raise DatabaseError(
            f"{source}: there is no database for a URL that begins with {scheme!r}", hint=f"known: {known}"
        )
    return _SCHEMES[scheme]


def _first_that_starts(options: StartOptions) -> Choice:
    skipped: list[str] = []
    for provider in _in_turn():
        reason = provider.available(options)
        if reason is None:
            return Choice(provider, (f"{provider.kind}: the first that can start here", *skipped))
        skipped.append(f"{provider.kind} skipped: {reason}")
    return Choice(load_provider("sqlite"), ("sqlite: no PostgreSQL can start here", *skipped))


def _in_turn() -> Iterator[Provider]:
    yield from map(load_provider, _STARTED)


def _theirs() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _load(kind: str) -> Any:
    if kind in PROVIDERS:
        module, _, attribute = PROVIDERS[kind].partition(":")
        return getattr(import_module(module), attribute)
    point = _theirs()[kind]
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        told = f"the database {kind!r} cannot be loaded from {point.value!r}: {error}"
        raise DatabaseError(told, hint="reinstall the package that provides it, or choose another database") from error
