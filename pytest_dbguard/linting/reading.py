"""Reads one source of statements: a Python file, a SQL file, or a text from standard input."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from tokenize import detect_encoding

from pytest_dbguard.linting.model import SourceFindings
from pytest_dbguard.sql.splitting import is_script

MAX_BYTES = 5 * 1024**2
"""Larger files are dumps of data, not what people write."""
_UPGRADE = b"def upgrade"
_DDL = re.compile(rb"\b(?:ALTER|CREATE|DROP)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One source.

    Attributes:
        path: As shown: relative to the root, with "/".
        content: Its bytes.
        beside: Bytes of the files that an Alembic revision runs in, such as `env.py`; empty for others.
        files: These files.
        problem: Why it cannot be read; "" when it can.
    """

    path: str
    content: bytes
    beside: bytes = b""
    files: tuple[Path, ...] = ()
    problem: str = ""

    @property
    def is_sql(self) -> bool:
        """Whether it is SQL, rather than Python."""
        return is_script(self.path)

    @property
    def text(self) -> str:
        """Its text; what cannot be decoded is replaced."""
        if self.is_sql:
            return self.content.decode("utf-8-sig", "replace")
        lines = iter(self.content.splitlines(keepends=True))
        try:
            encoding, _ = detect_encoding(lambda: next(lines, b""))
        except SyntaxError:
            encoding = "utf-8"
        return self.content.decode(encoding, "replace")


def read_source(source: SourceFile, root: Path, dialect: str = "") -> SourceFindings:
    """Return what a source holds: statements, and what it migrates; what cannot be read is a problem. Never raises.

    Args:
        source: The source.
        root: Directory that its path is relative to.
        dialect: The project's; "" where each script tells.
    """
    if source.problem:
        return SourceFindings(source.path, problems=(f"{source.path}: not read ({source.problem})",))
    try:
        return _sql(source, dialect) if source.is_sql else _python(source, root, dialect)
    except Exception as error:  # noqa: BLE001  one source that is not understood must not cost the others
        return SourceFindings(source.path, problems=(f"{source.path}: not read ({type(error).__name__})",))


def source_file(path: Path, root: Path) -> SourceFile:
    """Return a file as a source, with what a revision runs in; what cannot be read has a problem."""
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
    try:
        if path.stat().st_size > MAX_BYTES:
            return SourceFile(shown, b"", problem=f"larger than {MAX_BYTES // 1024**2} MB")
        content = path.read_bytes()
    except OSError as error:
        return SourceFile(shown, b"", problem=error.strerror or type(error).__name__)
    if _UPGRADE not in content or Path(shown).is_absolute():
        return SourceFile(shown, content)
    from pytest_dbguard.linting.alembic_environment import environment_files

    files = environment_files(shown, root)
    return SourceFile(shown, content, b"\0".join(file.read_bytes() for file in files), files)


def _sql(source: SourceFile, dialect: str) -> SourceFindings:
    from pytest_dbguard.linting.sql_files import read_sql

    found = read_sql(source.text, source.path)
    if found.migration is None and _DDL.search(source.content) is not None:
        from pytest_dbguard.linting.ddl_steps import sql_migration

        migration = sql_migration(source.text, source.path, dialect=dialect)
        found = replace(found, migration=migration if migration.steps else None)
    return found


def _python(source: SourceFile, root: Path, dialect: str) -> SourceFindings:
    from pytest_dbguard.linting.python_source import read_python

    found = read_python(source.text, source.path)
    if found.migration is None and _UPGRADE in source.content:
        from pytest_dbguard.linting.alembic_scripts import alembic_migration

        below = None if Path(source.path).is_absolute() else root
        migration = alembic_migration(source.text, source.path, root=below, dialect=dialect)
        found = replace(found, migration=migration)
    return found
