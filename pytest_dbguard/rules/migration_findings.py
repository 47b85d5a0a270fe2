"""What the rules about migrations share: which steps touch tables that others use, words, and code to paste."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, Remedy, Severity
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.base import Context, Draft, RuleOptions
from pytest_dbguard.schema.migration import Migration, Step, StepKind, plain_name

_EXCLUSIVE = frozenset(
    {
        StepKind.DROP_TABLE,
        StepKind.RENAME_TABLE,
        StepKind.ADD_COLUMN,
        StepKind.DROP_COLUMN,
        StepKind.ALTER_TYPE,
        StepKind.SET_NOT_NULL,
        StepKind.DROP_CONSTRAINT,
    }
)


class ReviewRule:
    """What all rules about migrations are: each adds its attributes and `review`."""

    code: ClassVar[str]
    name: ClassVar[str]
    options_model: ClassVar[type[RuleOptions]] = RuleOptions

    def __init__(self, options: RuleOptions) -> None:
        self._options = options

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield nothing: scripts are judged without running them."""
        return ()

    def finding(self, step: Step, severity: Severity, message: str, subject: str, **more: object) -> Finding:
        """Return a finding at the place of a step."""
        return Finding(
            rule=self.code,
            name=self.name,
            severity=severity,
            subject=subject,
            message=message,
            site=step.site,
            **more,  # type: ignore[arg-type]
        )


def is_for_postgres(migration: Migration) -> bool:
    """Return whether a migration runs on PostgreSQL, as far as anything tells."""
    return migration.dialect in ("", "postgresql")


def used_steps(migration: Migration) -> Iterator[Step]:
    """Yield the steps that change tables which others use meanwhile.

    Those of tables that the migration makes, drops in the end, or puts in the place of one that it drops, or whose name
    nobody can tell are left out; all of them where it is the first of its history.
    """
    if migration.is_first:
        return
    dropped = {plain_name(step.table) for step in migration.steps if step.kind is StepKind.DROP_TABLE}
    made = migration.created | set(_swapped_in(migration, dropped))
    indexes = {step.name for step in migration.steps if step.kind is StepKind.CREATE_INDEX}
    for step in migration.steps:
        name = plain_name(step.table)
        if step.kind is StepKind.DROP_INDEX and not step.table:
            if step.name and step.name not in indexes:
                yield step
        elif step.table and name not in made and (name not in dropped or step.kind is StepKind.DROP_TABLE):
            yield step


def filled_steps(migration: Migration) -> Iterator[Step]:
    """Yield the steps that change tables which others use, and which hold rows: which the migration did not empty."""
    emptied: set[str] = set()
    for step in used_steps(migration):
        follow_emptied(emptied, step)
        if plain_name(step.table) not in emptied:
            yield step


def follow_emptied(emptied: set[str], step: Step) -> None:
    """Keep account of the tables that hold no rows."""
    table = plain_name(step.table)
    if step.kind is StepKind.EMPTY_TABLE:
        emptied.add(table)
    elif step.kind is StepKind.RENAME_TABLE and table in emptied:
        emptied.add(plain_name(step.name))


def _swapped_in(migration: Migration, dropped: Collection[str]) -> Iterator[str]:
    """Yield the tables that take the names of tables which are dropped: until then nobody uses them."""
    for step in migration.steps:
        table, name = plain_name(step.table), plain_name(step.name)
        schema = table.rpartition(".")[0]
        if (
            step.kind is StepKind.RENAME_TABLE
            and (f"{schema}.{name}" if schema and "." not in name else name) in dropped
        ):
            yield table


def in_transaction(migration: Migration, step: Step) -> bool:
    """Return whether a step runs in the transaction of its migration."""
    return migration.is_transactional and not step.in_autocommit


def locks_readers_out(step: Step) -> bool:
    """Return whether a step takes ACCESS EXCLUSIVE, so that nobody can even read the table meanwhile."""
    if step.kind is StepKind.ADD_CONSTRAINT:
        # a foreign key leaves readers alone
        return step.constraint != "foreign key"
    if step.kind is StepKind.DROP_INDEX:
        return not step.is_concurrent
    return step.kind in _EXCLUSIVE or step.is_exclusive


def column_label(step: Step) -> str:
    """Return what a step about a column is about: `orders.note`."""
    return f"{step.table}.{step.name}" if step.name else step.table


def sql_name(name: str) -> str:
    """Return a name of a table or column as SQL takes it: quoted where it must be."""
    parts = name.split(".")
    return ".".join(part if part.isidentifier() and part == part.lower() else f'"{part}"' for part in parts)


def executed(sql: str) -> str:
    """Return the call by which a script executes SQL."""
    return f"op.execute({json.dumps(sql, ensure_ascii=False)})"


def fix_of(migration: Migration, title: str, sql: str, alembic: str) -> tuple[Fix, tuple[Remedy, ...]]:
    """Return the change as the script wants it, and as each tool does."""
    return Fix(title, alembic if migration.revision else sql), (Remedy("sql", sql), Remedy("alembic", alembic))
