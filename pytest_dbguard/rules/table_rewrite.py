"""DBG813: a change of a column makes PostgreSQL write the whole table anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Certainty, Finding, Severity
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.migration_findings import (
    ReviewRule,
    column_label,
    executed,
    filled_steps,
    fix_of,
    is_for_postgres,
    sql_name,
)
from pytest_dbguard.schema.migration import Migration, Step, StepKind
from pytest_dbguard.schema.type_changes import TypeChange, type_change


class TableRewrite(ReviewRule):
    """table-rewrite (DBG813).

    ## What it does
    Finds migrations for PostgreSQL that change the type of a column of an existing table so that each row must be
    written anew, and those that add a column whose default is computed for each row.

    ## Why is this bad?
    While the table and all of its indexes are written, nobody else can read or write it, and it takes its size once
    more on the disk. A longer VARCHAR, TEXT in place of VARCHAR, or more digits of the same scale cost nothing.

    ## Example
    ```python
    import sqlalchemy as sa
    from alembic import op

    revision = "2f6a"
    down_revision = "1c3e"

    def upgrade():
        op.alter_column("orders", "id", existing_type=sa.Integer(), type_=sa.BigInteger())
    ```

    ## Use instead
    ```python
    import sqlalchemy as sa
    from alembic import op

    revision = "2f6a"
    down_revision = "1c3e"

    def upgrade():
        op.add_column("orders", sa.Column("wide_id", sa.BigInteger(), nullable=True))
        # then: write both, fill it in batches, and rename in a later migration
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Between TIMESTAMP and TIMESTAMPTZ it depends on the time zone of the session, so that is a note: in UTC nothing is
    written. Where the script does not tell the old type, only types are told that hardly any other is stored like.
    Functions that are not PostgreSQL's are taken for constant. Silent for tables that the migration makes or empties.
    """

    code: ClassVar[str] = "DBG813"
    name: ClassVar[str] = "table-rewrite"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE

    def review(self, migration: Migration) -> Iterable[Finding]:
        """Yield a finding for each step that writes all rows of a table that others use."""
        for step in filled_steps(migration) if is_for_postgres(migration) else ():
            if step.kind is StepKind.ALTER_TYPE:
                change = type_change(step.old_type, step.type)
                if change in (TypeChange.REWRITE, TypeChange.UNLESS_UTC):
                    yield self._changed(migration, step, change)
            elif step.kind is StepKind.ADD_COLUMN and step.is_default_volatile:
                yield self._computed(migration, step)

    def _changed(self, migration: Migration, step: Step, change: TypeChange) -> Finding:
        label, old = column_label(step), f" from {step.old_type}" if step.old_type else ""
        unless = ", unless the session's time zone is UTC" if change is TypeChange.UNLESS_UTC else ""
        message = (
            f"`{label}` changes{old} to {step.type}: all of `{step.table}` is written anew{unless}, "
            "and nobody can read it meanwhile"
        )
        if unless:
            said, title = "SET LOCAL timezone = 'UTC'", "say that the times are in UTC, if they are"
            fix, remedies = fix_of(migration, title, f"{said};", executed(said))
            return self.finding(step, Severity.NOTE, message, label, fix=fix, remedies=remedies)
        sql, alembic = _new_column(step)
        title = "add a column of the new type, write both, fill it in batches, and swap the names in a later migration"
        fix, remedies = fix_of(migration, title, sql, alembic)
        certainty = Certainty.CERTAIN if step.old_type else Certainty.LIKELY
        return self.finding(step, Severity.WARNING, message, label, fix=fix, remedies=remedies, certainty=certainty)

    def _computed(self, migration: Migration, step: Step) -> Finding:
        label, table, column = column_label(step), sql_name(step.table), sql_name(step.name)
        message = f"the default of the new `{label}` is computed for each row: all of `{step.table}` is written anew"
        sql = (
            f"ALTER TABLE {table} ADD COLUMN {column} {step.type or '...'};\n"
            f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT ...;"
        )
        alembic = (
            f'op.add_column("{step.table}", sa.Column("{step.name}", ...))\n'
            f'op.alter_column("{step.table}", "{step.name}", server_default=...)'
        )
        title = "add it without the default, set the default for new rows, and fill the others in batches"
        fix, remedies = fix_of(migration, title, sql, alembic)
        return self.finding(step, Severity.WARNING, message, label, fix=fix, remedies=remedies)


def _new_column(step: Step) -> tuple[str, str]:
    """Return the code that adds a column of the new type."""
    sql = f"ALTER TABLE {sql_name(step.table)} ADD COLUMN {sql_name(f'new_{step.name}')} {step.type};"
    return sql, f'op.add_column("{step.table}", sa.Column("new_{step.name}", ...))'
