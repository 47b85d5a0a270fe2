"""A database of our own for a lab: made, marked as ours, and deleted, on whatever server; what was left is swept."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import Server
from pytest_dbguard.planning.lab.lab_collation import collation_clauses
from pytest_dbguard.schema.catalog import Collation
from pytest_dbguard.templates.maintenance import Maintenance
from pytest_dbguard.templates.marks import Kind, Mark
from pytest_dbguard.templates.runs import RunLock, sweep

if TYPE_CHECKING:
    from psycopg import Connection

_FILE_COPY_SINCE = 15


class LabDatabase:
    """An empty database that nobody else uses.

    Its name begins with the number of a run whose lock this process holds, and its mark says so: when the process is
    killed, the next run on this server deletes it, as it does with copies for tests.
    """

    def __init__(self, server: Server, collation: Collation, keeper: object = None) -> None:
        """Make it, sorting text by `collation` where the server can, after deleting what killed runs left there.

        `keeper` is referred to until the database is closed: with it the server may end.

        Raises:
            DatabaseError: When the server refuses.
        """
        self.server = server
        self._keeper = keeper
        run = secrets.token_hex(4)
        self.name = f"dbguard_{run}_lab"
        self._maintenance = Maintenance(server)
        with suppress(DatabaseError):  # of other roles
            sweep(server)
        self._lock = RunLock(server, run)
        try:
            self.problem = self._create(collation)
            self._maintenance.comment(self.name, Mark(Kind.COPY, run=run).used_now())
        except BaseException:
            self.close()
            raise

    @property
    def major(self) -> int:
        """The major version of the server."""
        return int(self.server.version.partition(".")[0])

    def connect(self) -> Connection:
        """Return a new connection to it, outside a transaction, which sends texts as they are."""
        connection = self._maintenance.connect(self.name)
        # prepared by the driver, $1 in a text would be taken for a parameter of the driver's
        connection.prepare_threshold = None
        connection.execute("SET synchronous_commit = off")
        return connection

    def close(self) -> None:
        """Delete it. Closing twice is allowed."""
        try:
            with suppress(DatabaseError):  # the server may be gone already
                self._maintenance.drop_unseen(self.name)
        finally:
            self._lock.close()
            self._maintenance.close()
            self._keeper = None

    def _create(self, collation: Collation) -> str:
        """Make the database; return what of the collation this server cannot do."""
        with self._maintenance.connection() as connection:
            attempts = collation_clauses(connection, collation, self.major)
        copied = " STRATEGY file_copy" if self.major >= _FILE_COPY_SINCE and self.server.is_ours else ""
        for number, (clauses, problem) in enumerate(attempts, 1):
            try:
                self._maintenance.run(
                    f"CREATE DATABASE {{}} TEMPLATE template0 ENCODING 'UTF8'{clauses}{copied}", self.name
                )
            except DatabaseError:
                if number == len(attempts):
                    raise
            else:
                return problem
        return ""


def is_superuser(server: Server) -> bool:
    """Tell whether our role may do everything on a server.

    Raises:
        DatabaseError: When it does not answer.
    """
    maintenance = Maintenance(server)
    try:
        with maintenance.connection() as connection:
            query = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
            row: Any = connection.execute(query).fetchone()
            return bool(row[0])
    finally:
        maintenance.close()
