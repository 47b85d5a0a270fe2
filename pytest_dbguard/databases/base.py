"""What every source of databases promises: a provider starts a server, and copies of templates live on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlalchemy import URL


@dataclass(frozen=True, slots=True)
class StartOptions:
    """What a provider needs to know; each takes what concerns it."""

    url: str | None = None
    """Server to use instead of starting one; for SQLite the file."""

    image: str | None = None
    """Image of a container; None for the provider's own."""

    trusted_hosts: tuple[str, ...] = ()
    """Hosts that may be used though they look like production."""

    project: Path | None = None
    """Root of the project: its servers start from what its last run left."""

    cache: Path | None = None
    """Directory for what later runs start from; None for the user's cache."""

    cache_mb: int = 1024
    """Megabytes that this directory may hold."""

    outlives_run: bool = False
    """Whether the server goes on after this process, until it is stopped by name."""


class Server(Protocol):
    """Where databases are made: a PostgreSQL server, or for SQLite this process."""

    @property
    def kind(self) -> str:
        """Return the provider's name, as in `--dbguard-database`."""
        ...

    @property
    def url(self) -> URL:
        """Return the address, of the maintenance database for PostgreSQL, by a role that may create databases."""
        ...

    @property
    def version(self) -> str:
        """Return the version of the database itself, such as "18.6"."""
        ...

    @property
    def is_ours(self) -> bool:
        """Whether this run started it for itself: nothing on it outlives the run or belongs to somebody else."""
        ...

    def close(self) -> None:
        """Stop what was started and delete its data; nothing where it was given. Closing twice is allowed."""
        ...


class Launch(Protocol):
    """A server that is coming up while other things happen."""

    def ready(self) -> Server:
        """Wait for the server.

        Raises:
            DatabaseError: When it does not come up.
        """
        ...

    def abandon(self) -> None:
        """Stop what is coming up, when nobody needs it any more; nothing once it was ready."""
        ...


class Provider(Protocol):
    """One way to come by a server."""

    @property
    def kind(self) -> str:
        """Return the provider's name, as in `--dbguard-database`."""
        ...

    def available(self, options: StartOptions) -> str | None:
        """Return None when a server can start here, else the reason why not and what to install.

        Cheap: starts nothing and imports nothing heavy.
        """
        ...

    def launch(self, options: StartOptions) -> Launch:
        """Begin to start a server; to be called from the main thread.

        Raises:
            DatabaseError: When it is known already that none starts.
        """
        ...

    def join(self, url: URL) -> Server:
        """Return the server that another process of this run has started at `url`; closing it stops nothing."""
        ...


class Database(Protocol):
    """One database that belongs to this process alone.

    `url` and `async_url` lead to the same data and stay the same for as long as the database lives, even when a
    reset puts a fresh copy in its place.
    """

    @property
    def kind(self) -> str:
        """Return the provider's name, as in `--dbguard-database`."""
        ...

    @property
    def url(self) -> URL:
        """Return the address for a synchronous engine."""
        ...

    @property
    def async_url(self) -> URL:
        """Return the address for an asynchronous engine."""
        ...

    @property
    def version(self) -> str:
        """Return the version of the database itself, such as "18.6"."""
        ...

    def close(self) -> None:
        """Delete it. Closing twice is allowed."""
        ...
