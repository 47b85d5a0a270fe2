"""One transaction around all that a test does on a connection; the test's own transactions are savepoints in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Dialect

from pytest_dbguard.databases.driver_base import Driver, quietly
from pytest_dbguard.databases.drivers import driver_of

_FAILED_TRANSACTION = "25P02"  # PostgreSQL's in_failed_sql_transaction
_GONE = ("25P01", "3B001")  # no_active_sql_transaction, invalid_savepoint_specification
_ENDED = (
    "a transaction was ended below SQLAlchemy, by the driver's commit or rollback or by a statement:"
    " what it committed was removed after the test"
)
_INTERLEAVED = (
    "two transactions were open at the same time and did not end in the reverse order: a test that is rolled back"
    ' has one transaction, where the application has two; @pytest.mark.dbguard(reset="committed") shows what happens'
)
_SEEN_EARLY = (
    "a second connection was used while the first had changes that were not committed: it sees them in a test that is"
    ' rolled back, and nowhere else; @pytest.mark.dbguard(reset="committed") shows what happens'
)


@dataclass(slots=True, eq=False)
class Unit:
    """A transaction of the application: a savepoint of ours."""

    record: Any
    savepoint: str
    is_read_only: bool
    has_written: bool = False
    is_done: bool = False


class OuterTransaction:
    """A driver connection that several engines share, and the transaction around what they do.

    This is SQLAlchemy's recipe "join a session into an external transaction", done in the engines' dialects instead
    of the session. So `Connection.commit()`, sessions of the application's own making and `create_savepoint` all
    work, and listeners see a commit as a commit.

    Known limits, as of every rollback: `now()` stands still, deferred constraints are not checked, other
    connections see nothing of it.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._is_sqlite = dialect.name == "sqlite"
        self.connection: Any = None
        self.known: dict[int, dict[Any, Any]] = {}
        """Engines whose listeners have prepared the connection, by id, with what they noted about it."""
        self.borrowers: list[Callable[[], None]] = []
        """Called when there is a new connection, before a transaction begins."""
        self.is_open = False
        self.was_used = False
        self.has_written = False
        self.warnings: dict[str, None] = {}
        self._units: list[Unit] = []
        self._driver = Driver()
        self._driver_connection: Any = None

    def adopt(self, dbapi_connection: Any, driver_connection: Any) -> None:
        """Take a new connection, on which no transaction has begun."""
        self.connection = dbapi_connection
        self._driver, self._driver_connection = driver_of(driver_connection), driver_connection

    def forget(self) -> None:
        """Let go of a connection that was closed."""
        self.connection = self._driver_connection = None
        self._driver = Driver()
        self.is_open = False
        self._units.clear()
        self.known.clear()

    def begin(self, record: Any, *, is_read_only: bool) -> None:
        """Begin a transaction of the application on the connection that `record` of its pool lends."""
        if any(unit.has_written and not unit.is_done for unit in self._units):
            self.warnings[_SEEN_EARLY] = None
        if not self.is_open:
            if self._is_sqlite:
                # the driver begins too late and commits too early
                self.connection.isolation_level = None
                self._run("BEGIN")
            self.is_open = self.was_used = True
        unit = Unit(record, f"dbguard_{len(self._units)}", is_read_only)
        self._run(f"SAVEPOINT {unit.savepoint}")
        self._units.append(unit)
        self._enforce(unit)

    def commit(self, record: Any) -> None:
        """Make a transaction of the application part of the one around it."""
        unit = self._unit(record)
        if unit is None:
            return
        unit.is_done = True
        if unit is not self._units[-1]:
            self.warnings[_INTERLEAVED] = None
            return
        try:
            self._run(f"RELEASE SAVEPOINT {unit.savepoint}")
        except Exception as error:
            # COMMIT of a failed transaction is a silent ROLLBACK in PostgreSQL; RELEASE is an error.
            if sqlstate(error) == _FAILED_TRANSACTION:
                self._undo(unit)
            elif self._is_gone(error):
                return
            else:
                raise
        self._fold()

    def rollback(self, record: Any) -> None:
        """Undo a transaction of the application."""
        unit = self._unit(record)
        if unit is None:
            return
        unit.is_done = True
        position = self._units.index(unit)
        if position < len(self._units) - 1:
            if not unit.has_written:
                return
            self.warnings[_INTERLEAVED] = None
            del self._units[position + 1 :]
        try:
            self._undo(unit)
        except Exception as error:
            if not self._is_gone(error):
                raise
            return
        self._fold()

    def wrote(self, record: Any) -> None:
        """Note that a transaction of the application changed something."""
        unit = self._unit(record)
        if unit is not None:
            unit.has_written = self.has_written = True

    def check(self) -> str | None:
        """Return what COMMIT would have refused, without values; None when nothing is known. Just before `end`."""
        if not self.is_open or not self.has_written:
            return None
        return self._driver.refused(self._driver_connection)

    def end(self, *, unfinished: bool) -> None:
        """Roll everything back, without awaiting anything; a connection that cannot do that is closed.

        Args:
            unfinished: Whether somebody may have statements that are not read to their end.
        """
        self._units.clear()
        if self._driver_connection is None:
            return
        driver, connection = self._driver, self._driver_connection
        if driver.is_open(connection) and not quietly(driver.roll_back, connection, unfinished=unfinished):
            self.close()
        self.is_open = False

    def make_permanent(self) -> bool:
        """Commit what the application has committed; False where the driver does not let that be done from here."""
        if not self.is_open:
            return True
        left_open = next((unit.savepoint for unit in self._units if not unit.is_done), None)
        if not quietly(self._driver.commit, self._driver_connection, savepoint=left_open):
            return False
        self._units.clear()
        self.is_open = False
        return True

    def close(self) -> None:
        """Close the connection."""
        if self._driver_connection is not None:
            quietly(self._driver.end, self._driver_connection)
        self.forget()

    def backend(self) -> int | None:
        """Return the process number of the server's side."""
        return None if self._driver_connection is None else self._driver.backend(self._driver_connection)

    def _unit(self, record: Any) -> Unit | None:
        return next((unit for unit in self._units if unit.record is record and not unit.is_done), None)

    def _undo(self, unit: Unit) -> None:
        self._run(f"ROLLBACK TO SAVEPOINT {unit.savepoint}")
        self._run(f"RELEASE SAVEPOINT {unit.savepoint}")

    def _fold(self) -> None:
        """Take the innermost transaction away, and those around it that have ended before it."""
        ended = self._units.pop()
        while self._units and self._units[-1].is_done:
            outer = self._units.pop()
            self._run(f"RELEASE SAVEPOINT {outer.savepoint}")
        if self._is_sqlite and ended.is_read_only:
            self._run(f"PRAGMA query_only = {'ON' if self._units and self._units[-1].is_read_only else 'OFF'}")

    def _enforce(self, unit: Unit) -> None:
        """Let no engine write that may not: in PostgreSQL until the savepoint ends, in SQLite until it is undone."""
        if self._is_sqlite:
            around = self._units[-2].is_read_only if len(self._units) > 1 else False
            if unit.is_read_only != around:
                self._run(f"PRAGMA query_only = {'ON' if unit.is_read_only else 'OFF'}")
        elif unit.is_read_only:
            self._run("SET TRANSACTION READ ONLY")

    def _is_gone(self, error: Exception) -> bool:
        """Whether the transaction has ended without us; the next begins a new one."""
        if sqlstate(error) not in _GONE and "no such savepoint" not in str(error):
            return False
        self.warnings[_ENDED] = None
        self._units.clear()
        self.is_open = False
        # the driver has begun a transaction of its own for the command that failed
        self.connection.rollback()
        return True

    def _run(self, command: str) -> None:
        """Run a command below SQLAlchemy, where no listener counts it."""
        cursor = self.connection.cursor()
        try:
            cursor.execute(command)
        finally:
            cursor.close()


def sqlstate(error: BaseException) -> str | None:
    """Return PostgreSQL's code of a driver's error."""
    for name in ("sqlstate", "pgcode"):
        code = getattr(error, name, None)
        if isinstance(code, str):
            return code
    fields = error.args[0] if error.args else None
    return fields.get("C") if isinstance(fields, dict) else None
