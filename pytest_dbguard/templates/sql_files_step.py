"""A step that runs SQL files, statement by statement."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.templates.sql_split import MetaCommand, Statement, split_postgres, split_sqlite
from pytest_dbguard.templates.step_errors import summary

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import Dialect

_UNKNOWN_OBJECT = "42704"
_NO_OWNERS = "dump with: pg_dump --no-owner --no-privileges"


@dataclass(frozen=True, slots=True)
class SqlFilesStep:
    """Runs files in the order given, each statement committed at once: some are allowed outside a transaction only.

    Nothing in them is a parameter: percent signs and colons are what they are. What pg_dump writes as plain text is
    understood, rows of COPY included; other commands of psql are refused.
    """

    files: tuple[Path, ...]
    name: str

    def fingerprint(self, dialect: Dialect) -> bytes:
        """Return what the files hold."""
        return b"\0".join(path.name.encode() + b"\0" + path.read_bytes() for path in self.files)

    def run(self, engine: Engine) -> None:
        """Run them.

        Raises:
            DatabaseError: When a statement fails, naming file and line without quoting the statement.
        """
        for path in self.files:
            _run_file(path, engine)


def _run_file(path: Path, engine: Engine) -> None:
    text = path.read_text(encoding="utf-8-sig")
    connection = engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            _run_on_sqlite(driver, path, split_sqlite(text))
        else:
            _run_on_postgres(driver, path, split_postgres(text))
    except MetaCommand as error:
        raise DatabaseError(
            f"{_shown(path)}:{error.line}: {error.command!r} is a command of psql, not SQL",
            hint="take it out of the file",
        ) from error
    finally:
        # the session keeps what the file has set, such as the search_path of pg_dump: nobody else gets it
        connection.invalidate()
        connection.close()


def _run_on_sqlite(driver: sqlite3.Connection, path: Path, statements: Iterable[Statement]) -> None:
    driver.isolation_level = None
    for statement in statements:
        try:
            driver.execute(statement.sql)
        except sqlite3.Error as error:
            raise DatabaseError(f"{_shown(path)}:{statement.line}: {summary(error)}") from error
    if driver.in_transaction:
        driver.commit()


def _run_on_postgres(driver: Any, path: Path, statements: Iterable[Statement]) -> None:
    import psycopg

    driver.autocommit = True
    for statement in statements:
        try:
            if statement.rows is None:
                # psycopg looks for parameters only where it is given some
                driver.execute(statement.sql.encode())
            else:
                with driver.cursor().copy(statement.sql.encode()) as copy:
                    copy.write(statement.rows)
        except psycopg.Error as error:
            is_role = error.sqlstate == _UNKNOWN_OBJECT and "role" in str(error)
            raise DatabaseError(
                f"{_shown(path)}:{_line(statement, error)}: {summary(error)}", hint=_NO_OWNERS if is_role else None
            ) from error
    if driver.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        driver.commit()


def _line(statement: Statement, error: Any) -> int:
    """Return the line that the server complains about."""
    position = int(error.diag.statement_position or 1)
    return statement.line + statement.sql.count("\n", 0, position - 1)


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
