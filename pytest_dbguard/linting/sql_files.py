"""Reads the statements of a SQL file."""

from __future__ import annotations

from pytest_dbguard.linting.model import Snippet, SourceFindings


def read_sql(text: str, path: str) -> SourceFindings:
    """Return what a SQL file holds: statements that read or write rows, and lines about what was not read."""
    return SourceFindings(path)


def sql_snippets(text: str, path: str) -> tuple[Snippet, ...]:
    """Return the statements of a SQL file that read or write rows, in the order of the file."""
    return read_sql(text, path).snippets
