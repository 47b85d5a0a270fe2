"""The statements that make an empty copy of a schema on another server, and how they are run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.schema.postgres_transcript import postgres_transcript
from pytest_dbguard.schema.script import IndexStatement, Target, Transcript, read_target
from pytest_dbguard.schema.sqlite_transcript import sqlite_transcript

__all__ = ["IndexStatement", "Target", "Transcript", "read_target", "replay", "transcript"]


def transcript(catalog: Catalog, *, major: int = 0, target: Target | None = None) -> Transcript:
    """Return the statements for another server. No role is named, and no trigger, rule or policy is made.

    What the server lacks is replaced where plans stay true (a type of an extension becomes `text`, a collation one
    that is not C either), else left out; `problems` tell it.

    Args:
        catalog: The schema.
        major: Of the PostgreSQL server that they are for, 14 to 18; not looked at for SQLite.
        target: What is known of that server (`read_target`); None takes it that it offers all that the schema needs.
    """
    if catalog.dialect is Dialect.SQLITE:
        return sqlite_transcript(catalog)
    return postgres_transcript(catalog, target or Target(major))


def replay(script: Transcript, execute: Callable[[str], object], attempt: Callable[[str], str]) -> tuple[str, ...]:
    """Run a transcript, as much of it as the server takes, and return a line for each statement that it refuses.

    Args:
        script: What to run.
        execute: Runs several statements in one text and one transaction of their own, as PostgreSQL's simple query
            protocol does; raises when one fails, after which none of them has happened.
        attempt: Runs one statement by itself; returns "" or why it failed, after which the next one can run.
    """
    statements = tuple(script.statements())
    try:
        execute(";\n".join(statements))
    except Exception:  # noqa: BLE001  each driver raises its own; one by one tells what it was
        return _one_by_one(statements, attempt)
    return ()


def _one_by_one(statements: Iterable[str], attempt: Callable[[str], str]) -> tuple[str, ...]:
    """Run statements for as long as any of those that failed succeeds after others have."""
    waiting, failed = list(statements), {"": ""}
    while failed and len(waiting) > 0:
        failed = {sql: problem for sql in waiting if (problem := attempt(sql))}
        if len(failed) == len(waiting):
            break
        waiting = list(failed)
    return tuple(f"{' '.join(sql.split())[:60]}: {problem.splitlines()[0]}" for sql, problem in failed.items())
