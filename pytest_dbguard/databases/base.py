"""What every source of databases promises: a provider starts a database, a database has URLs and closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlalchemy import URL


class Database(Protocol):
    """One running, empty database that belongs to this process alone.

    `url` and `async_url` lead to the same data. Closing twice is allowed.
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
        """Stop what was started and delete its data."""
        ...


class Provider(Protocol):
    """One way to come by a database."""

    @property
    def kind(self) -> str:
        """Return the provider's name, as in `--dbguard-database`."""
        ...

    def available(self) -> str | None:
        """Return None when a database can start here, else the reason why not and what to install.

        Cheap: starts nothing.
        """
        ...

    def start(self) -> Database:
        """Start a database.

        Raises:
            DatabaseError: When it does not start.
        """
        ...
