"""DBG812: a column is made NOT NULL so that the migration fails, or reads all rows while nobody can."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.migration_findings import (
    ReviewRule,
    column_label,
    executed,
    fix_of,
    follow_emptied,
    is_for_postgres,
    sql_name,
    used_steps,
)
from pytest_dbguard.schema.migration import Migration, Step, StepKind, plain_name


class BlockingNotNull(ReviewRule):
    """not-null-without-default (DBG812).

    ## What it does
    Finds migrations that add a NOT NULL column without a server default to an existing table, and those that make a
    column NOT NULL without a check that was validated before.

    ## Why is this bad?
    The rows that are there have no value for the new column: the migration fails as soon as there is one, which is
    never so in tests. SET NOT NULL reads all rows, and until it has, nobody else can even read the table; where a
    valid check says the same, PostgreSQL reads none.

    ## Example
    ```python
    import sqlalchemy as sa
    from alembic import op

    revision = "2f6a"
    down_revision = "1c3e"

    def upgrade():
        op.add_column("orders", sa.Column("channel", sa.String(20), nullable=False))
    ```

    ## Use instead
    ```python
    import sqlalchemy as sa
    from alembic import op

    revision = "2f6a"
    down_revision = "1c3e"

    def upgrade():
        op.add_column("orders", sa.Column("channel", sa.String(20), nullable=False, server_default="web"))
    ```

    ## Options
    - `severity` (default "error").

    ## Limits
    SET NOT NULL is a warning, and told for PostgreSQL only. Silent where the script adds a check that the column is
    not NULL before it, or drops one behind it; for tables that the migration makes or empties; and for the first
    migration of a history. MySQL gives the rows an empty value: nothing is told there.
    """

    code: ClassVar[str] = "DBG812"
    name: ClassVar[str] = "not-null-without-default"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE

    def review(self, migration: Migration) -> Iterable[Finding]:
        """Yield a finding for each column that becomes NOT NULL in a way that fails, or blocks."""
        emptied: set[str] = set()
        for step in used_steps(migration):
            follow_emptied(emptied, step)
            is_new = step.kind is StepKind.ADD_COLUMN and step.is_nullable is False and not step.has_default
            has_rows = plain_name(step.table) not in emptied
            if is_new and has_rows and migration.dialect in ("", "postgresql", "sqlite"):
                yield self._failing(migration, step)
            is_set = step.kind is StepKind.SET_NOT_NULL and is_for_postgres(migration)
            if is_set and not _is_checked(migration.steps, step):
                yield self._blocking(migration, step)

    def _failing(self, migration: Migration, step: Step) -> Finding:
        label, table, column = column_label(step), sql_name(step.table), sql_name(step.name or "...")
        message = f"`{label}` is added NOT NULL without a default: it fails as soon as `{step.table}` holds a row"
        type_name = step.type or "..."
        sql = f"ALTER TABLE {table} ADD COLUMN {column} {type_name} DEFAULT ... NOT NULL;"
        alembic = f'sa.Column("{step.name}", ..., nullable=False, server_default=...)'
        title = "give it a server default; or add it nullable, fill it, and set NOT NULL in a later migration"
        fix, remedies = fix_of(migration, title, sql, alembic)
        return self.finding(step, Severity.ERROR, message, label, fix=fix, remedies=remedies)

    def _blocking(self, migration: Migration, step: Step) -> Finding:
        label = column_label(step)
        message = f"`{label}` is set NOT NULL: all rows are read while nobody else can read or write `{step.table}`"
        lines = _checked_lines(step)
        first, *later = (executed(line.rstrip(";")) for line in lines)
        alembic = "\n".join([first, "# in a migration of its own:", *later])
        title = "add a check NOT VALID, validate it in a later transaction, then set NOT NULL"
        fix, remedies = fix_of(migration, title, "\n".join(lines), alembic)
        return self.finding(step, Severity.WARNING, message, label, fix=fix, remedies=remedies)


def _checked_lines(step: Step) -> list[str]:
    table, column, name = sql_name(step.table), sql_name(step.name), f"{step.name}_not_null"
    return [
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID;",
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};",
        f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;",
        f"ALTER TABLE {table} DROP CONSTRAINT {name};",
    ]


def _is_checked(steps: Sequence[Step], step: Step) -> bool:
    """Whether the script shows that a check spares the scan: it stands before, or is dropped behind."""
    at = next(number for number, each in enumerate(steps) if each is step)
    table = plain_name(step.table)
    before = (
        each.kind is StepKind.ADD_CONSTRAINT and each.columns == (step.name,) and each.constraint == "check"
        for each in steps[:at]
        if plain_name(each.table) == table
    )
    behind = (
        each.kind is StepKind.DROP_CONSTRAINT and ("null" in each.name.lower() or step.name in each.name)
        for each in steps[at:]
        if plain_name(each.table) == table
    )
    return any(before) or any(behind)
