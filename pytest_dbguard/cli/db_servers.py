"""The servers that `dbguard db` is about: the one that the configuration leads to, and those that were kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dbguard.core.errors import DatabaseError

if TYPE_CHECKING:
    from pytest_dbguard.config.model import Config
    from pytest_dbguard.databases.base import Provider, Server, StartOptions
    from pytest_dbguard.databases.kept_servers import KeptServer

_NO_SQLITE = "dbguard db is about servers: SQLite's databases live in the process that uses them, or in files"


@dataclass(frozen=True, slots=True)
class Known:
    """A server that runs."""

    server: Server
    kept: KeptServer | None = None
    """Whether it is one of ours that was kept, and which; None for one that was given by its URL."""

    @property
    def shown(self) -> str:
        """Return the address, without a password."""
        return shown_url(self.server)


def settings(root: Path, file: Path | None, env: str | None, database: str | None) -> Config:
    """Return the settings, those of the environment and kind of database that flags name.

    Raises:
        DatabaseError: For the environment of production.
    """
    from pytest_dbguard.config.load import load_config
    from pytest_dbguard.config.model import PRODUCTION, canonical

    flags = {name: value for name, value in (("env", env), ("database", database)) if value is not None}
    config = load_config(root, flags=flags, file=file and file.resolve())
    if canonical(config.env) == PRODUCTION:
        raise DatabaseError(
            f"{config.sources['env']}: nothing is made on the databases of {config.env!r}",
            hint="choose another environment with --env, such as dev",
        )
    return config


def known_servers(config: Config, root: Path) -> list[Known]:
    """Return the servers that run: those that were kept, for whatever project, and the one with the configured URL."""
    from pytest_dbguard.databases.joined_server import JoinedServer
    from pytest_dbguard.databases.kept_servers import kept_servers

    joined = [Known(JoinedServer(kept.kind, kept.url, is_ours=True), kept) for kept in kept_servers()]
    found = [known for known in joined if _answers(known.server)]
    provider, options = _provider(config, root)
    if provider.kind == "postgres-url":
        found.append(Known(provider.launch(options).ready()))
    return found


def _answers(server: Server) -> bool:
    """Tell whether a server is up: it may be starting, or ending because somebody else has just stopped it."""
    try:
        return bool(server.version)
    except DatabaseError:
        return False


def is_of(known: Known, root: Path) -> bool:
    """Tell whether a server was kept for a project."""
    return known.kept is not None and known.kept.project is not None and known.kept.project.resolve() == root.resolve()


def started(config: Config, root: Path) -> Known:
    """Return the configured server, started where none runs that was kept for the project; it goes on afterwards.

    Raises:
        DatabaseError: When the configuration leads to SQLite, or the server does not start.
    """
    from pytest_dbguard.databases.registry import can_start

    provider, options = _provider(config, root)
    if provider.kind == "sqlite":
        raise DatabaseError(_NO_SQLITE, hint="choose a server: dbguard db up --database postgres-embedded")
    for known in known_servers(config, root):
        if known.server.kind == provider.kind and (known.kept is None or is_of(known, root)):
            return known
    can_start(provider, options)
    return Known(provider.launch(options).ready())


def _provider(config: Config, root: Path) -> tuple[Provider, StartOptions]:
    from pytest_dbguard.databases.registry import choose
    from pytest_dbguard.databases.settings import start_options

    options = start_options(config, root, outlives_run=True)
    source = config.sources["url" if config.database is None else "database"]
    return choose(config.database, source, options).provider, options


def shown_url(server: Server, database: str | None = None, *, with_password: bool = False) -> str:
    """Return an address as psql takes it."""
    url = server.url.set(drivername="postgresql")
    url = url if database is None else url.set(database=database)
    place, mark, query = url.render_as_string(hide_password=not with_password).partition("?")
    # the directory of a socket: easier to read, and the same to psql
    return place + mark + query.replace("%2F", "/")
