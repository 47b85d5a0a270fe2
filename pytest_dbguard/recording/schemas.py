"""What tells the recorder on which schema a statement runs."""

from __future__ import annotations

from typing import Any, Protocol

from pytest_dbguard.sql.shape import StatementText


class SchemaWatch(Protocol):
    """Knows the schemas of the engines that a process uses; never raises, and costs little when nothing changed."""

    def schema_of(self, connection: Any, text: StatementText, scope: int) -> str:
        """Return the id of the schema behind a connection that has just run a statement; "" where it cannot be read.

        Args:
            connection: SQLAlchemy's connection.
            text: The statement.
            scope: Tells one stretch of recording from the next.
        """
        ...

    def changed(self) -> None:
        """Take in that a statement defines tables, indexes or the like: what is known may be out of date."""
        ...
