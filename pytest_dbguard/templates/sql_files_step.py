"""A step that runs SQL files: statement by statement, with the COPY blocks that pg_dump writes."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dbguard.core.errors import DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import Dialect

_COPY = re.compile(r"^\s*COPY\s.+\sFROM\s+stdin\b.*;\s*$", re.IGNORECASE)
_COPY_END = "\\."
# what pg_dump writes since 2025 around its output; psql alone knows it
_HARMLESS = re.compile(r"^\\(un)?restrict\b")


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive SQL of a file, or one COPY with its rows."""

    sql: str
    line: int
    rows: str | None = None


@dataclass(frozen=True, slots=True)
class SqlFilesStep:
    """Runs files in the order given."""

    files: tuple[Path, ...]
    name: str

    def fingerprint(self, dialect: Dialect) -> bytes:
        """Return what the files hold."""
        return b"\0".join(path.name.encode() + b"\0" + path.read_bytes() for path in self.files)

    def run(self, engine: Engine) -> None:
        """Run them, each in one transaction of the driver.

        Raises:
            DatabaseError: When a file cannot be run, naming file and line, without quoting its SQL.
        """
        for path in self.files:
            connection = engine.raw_connection()
            try:
                self._run_file(path, connection)
            finally:
                connection.close()

    def _run_file(self, path: Path, connection: Any) -> None:
        driver = connection.driver_connection
        for part in _parts(path):
            try:
                if isinstance(driver, sqlite3.Connection):
                    driver.executescript(part.sql)
                else:
                    _run_on_postgres(driver, part)
            except Exception as error:
                raise DatabaseError(
                    f"{path}, from line {part.line}: {type(error).__name__}: {_first_line(error)}",
                    hint="run the file by itself to see more",
                ) from error
        driver.commit()


def _run_on_postgres(driver: Any, part: Part) -> None:
    cursor = driver.cursor()
    if part.rows is None:
        # without parameters psycopg sends the text as it is, percent signs and several statements included
        cursor.execute(part.sql.encode())
        return
    with cursor.copy(part.sql) as copy:
        copy.write(part.rows)


def _parts(path: Path) -> Iterator[Part]:
    """Yield a file's SQL, cut where rows of a COPY stand in it."""
    pending: list[str] = []
    first = number = 1
    lines = iter(path.read_text(encoding="utf-8").splitlines())
    for number, line in enumerate(lines, 1):
        if _COPY.match(line):
            yield from _sql(pending, first)
            rows = [row for row in iter(lambda: next(lines, _COPY_END), _COPY_END)]
            yield Part(line, number, "".join(f"{row}\n" for row in rows))
            pending = []
        elif _HARMLESS.match(line):
            continue
        elif line.startswith("\\"):
            raise DatabaseError(
                f"{path}:{number}: {line.split()[0]!r} is a command of psql, not SQL", hint="take the line out"
            )
        else:
            if not pending:
                first = number
            pending.append(line)
    yield from _sql(pending, first)


def _sql(lines: list[str], first: int) -> Iterator[Part]:
    text = "\n".join(lines)
    if text.strip():
        yield Part(text, first)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")
