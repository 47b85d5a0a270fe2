"""What is found in sources: statements with their places, migrations, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pytest_dbguard.core.findings import Site
from pytest_dbguard.schema.migration import Migration


class Origin(StrEnum):
    """Where a statement stands."""

    SQL_FILE = "sql file"
    PYTHON = "python"
    MIGRATION = "migration"


@dataclass(frozen=True, slots=True)
class Interpolation:
    """A value that is put into the text of a statement instead of being bound.

    Attributes:
        site: The part of the source that is put in.
        expression: Its source; at most 60 characters.
        is_value: Whether it stands where a value stands; else a name, which cannot be bound, or a piece of SQL.
        is_quoted: Whether quotes stand around it, so that it is text in SQL.
        how: "f-string", "%", "format" or "+".
        name: A name for the parameter that should take its place.
    """

    site: Site
    expression: str
    is_value: bool
    is_quoted: bool = False
    how: str = "f-string"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Snippet:
    """One statement in a source.

    Attributes:
        text: The SQL, one statement, without what follows its semicolon. Interpolated values are parameters `:name`
            (of the statement's style), interpolated names are replaced by one that stands for them.
        style: Of its parameters: qmark, numeric, named, format, pyformat, numeric_dollar; "qmark" without any.
        site: Where it begins; `function` is the function or class around it.
        origin: Kind of source.
        lines: (offset in `text`, line, column of the source) in ascending order: where pieces of the text stand. A
            position belongs to the last piece at or before it; columns count on from there.
        interpolations: What is put into it.
        is_whole: Whether all of its text is known; of others only the interpolations are judged.
        is_generic: Whether names are put into it, also safely: those of tables there stand for any.
    """

    text: str
    style: str
    site: Site
    origin: Origin
    lines: tuple[tuple[int, int, int], ...] = ()
    interpolations: tuple[Interpolation, ...] = ()
    is_whole: bool = True
    is_generic: bool = False


@dataclass(frozen=True, slots=True)
class SourceFindings:
    """What one file holds.

    Attributes:
        path: Relative to the root, with "/".
        snippets: Statements, in the order of the file.
        migration: What the file migrates, where it is an Alembic revision or a SQL file with DDL.
        problems: Lines about what could not be read.
    """

    path: str
    snippets: tuple[Snippet, ...] = ()
    migration: Migration | None = None
    problems: tuple[str, ...] = field(default=())
