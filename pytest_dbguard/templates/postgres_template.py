"""One template on a PostgreSQL server, and the databases that are made from it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import Server
from pytest_dbguard.databases.postgres_database import PostgresDatabase
from pytest_dbguard.templates.maintenance import Maintenance
from pytest_dbguard.templates.marks import Kind, Mark
from pytest_dbguard.templates.postgres_copies import PostgresCopier

_LONGEST_NAME = 63


class PostgresTemplate:
    """A database that nobody can connect to, so that it can be copied at any time.

    Any number of threads may make, rename and drop databases at once.
    """

    def __init__(self, maintenance: Maintenance, name: str, mark: Mark, *, was_built: bool) -> None:
        """Take a template that is ready; `mark` is what its copies carry."""
        self.name = name
        self.was_built = was_built
        self._maintenance = maintenance
        self._mark = mark
        self._copier = PostgresCopier(maintenance, name)

    @property
    def key(self) -> str:
        """Return the hash of all that built it."""
        return self._mark.key

    @property
    def server(self) -> Server:
        """Return the server that it is on."""
        return self._maintenance.server

    def copy(self, name: str) -> PostgresDatabase:
        """Return a new database with what the template holds; closing it deletes it.

        A name that is too long for PostgreSQL is cut.
        """
        name = name.encode()[:_LONGEST_NAME].decode(errors="ignore")
        self.create(name)
        url = self.server.url.set(database=name)
        return PostgresDatabase(self.server.kind, url, self.server.version, _Drop(self._maintenance, name))

    def create(self, name: str) -> None:
        """Make a database from the template; one of this run that has the name already is replaced."""
        entry = self._maintenance.entry(name)
        if entry is not None:
            self._refuse_unless_of_this_run(name)
            self._maintenance.drop(name)
        self._copier.copy(name)
        self._maintenance.comment(name, replace(self._mark, key="").used_now())

    def rename(self, old: str, new: str) -> None:
        """Rename a database, ending the sessions of whoever is connected.

        Raises:
            DatabaseError: When it is not ours.
        """
        self._maintenance.rename(old, new)

    def drop(self, name: str) -> None:
        """Delete a database, with the sessions on it; nothing when there is none.

        Raises:
            DatabaseError: When it is not ours.
        """
        self._maintenance.drop(name)

    def mark_kept(self, name: str, test: str) -> None:
        """Have a database outlive the run, as what a test has left.

        Raises:
            DatabaseError: When it is not ours.
        """
        self._maintenance.owned(name)
        self._maintenance.comment(name, replace(self._mark, kind=Kind.KEPT, key="", test=test).used_now())

    def _refuse_unless_of_this_run(self, name: str) -> None:
        mark = self._maintenance.owned(name).mark
        if mark is None or (mark.kind, mark.run) != (self._mark.kind, self._mark.run):
            raise DatabaseError(
                f"the database {name!r} belongs to another run", hint="see: dbguard db list; then: dbguard db prune"
            )


@dataclass(frozen=True, slots=True)
class _Drop:
    """Deletes a database when it is closed."""

    maintenance: Maintenance
    name: str

    def close(self) -> None:
        # the server may have been stopped before, and the database with it
        with suppress(DatabaseError):
            self.maintenance.drop(self.name)
