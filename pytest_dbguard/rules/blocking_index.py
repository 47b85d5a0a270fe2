"""DBG811: an index is made, or dropped, so that nobody can write to a table meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.migration_findings import (
    ReviewRule,
    filled_steps,
    fix_of,
    in_transaction,
    is_for_postgres,
    sql_name,
)
from pytest_dbguard.schema.migration import Migration, Step, StepKind

_KINDS = (StepKind.CREATE_INDEX, StepKind.DROP_INDEX)


class BlockingIndex(ReviewRule):
    """blocking-index (DBG811).

    ## What it does
    Finds migrations for PostgreSQL that make or drop an index of an existing table without CONCURRENTLY, and those
    that ask for CONCURRENTLY inside of a transaction, which fails.

    ## Why is this bad?
    CREATE INDEX keeps every writer of the table waiting until it has read all rows and sorted them: minutes on a large
    one. CONCURRENTLY lets them write meanwhile; it takes two passes, and cannot run in a transaction.

    ## Example
    ```python
    from alembic import op

    revision = "2f6a"
    down_revision = "1c3e"

    def upgrade():
        op.create_index("ix_orders_city", "orders", ["city"])
    ```

    ## Use instead
    ```python
    from alembic import op

    revision = "2f6a"
    down_revision = "1c3e"

    def upgrade():
        with op.get_context().autocommit_block():
            op.create_index("ix_orders_city", "orders", ["city"], postgresql_concurrently=True)
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Dropping without CONCURRENTLY is a note: the lock is short, but whoever comes after it waits as long as it waits.
    CONCURRENTLY in a transaction is an error. Silent for tables that the migration makes, empties or drops, and for the
    first migration of a history. Indexes of partitioned tables cannot be made CONCURRENTLY: only those of partitions
    can.
    """

    code: ClassVar[str] = "DBG811"
    name: ClassVar[str] = "blocking-index"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE

    def review(self, migration: Migration) -> Iterable[Finding]:
        """Yield a finding for each index that is made or dropped in a way that blocks, or fails."""
        if not is_for_postgres(migration):
            return
        for step in migration.steps:
            if step.kind in _KINDS and step.is_concurrent and in_transaction(migration, step):
                yield self._failing(migration, step)
        for step in filled_steps(migration):
            if step.kind in _KINDS and not step.is_concurrent:
                yield self._blocking(migration, step)

    def _failing(self, migration: Migration, step: Step) -> Finding:
        what = "made" if step.kind is StepKind.CREATE_INDEX else "dropped"
        message = f"{_index(step)} is {what} CONCURRENTLY inside of a transaction: PostgreSQL refuses that"
        sql, alembic = _sql(step), _alembic(step)
        fix, remedies = fix_of(migration, "run it outside of the transaction", sql, alembic)
        return self.finding(step, Severity.ERROR, message, _subject(step), fix=fix, remedies=remedies)

    def _blocking(self, migration: Migration, step: Step) -> Finding:
        table = f"`{step.table}`" if step.table else "its table"
        if step.kind is StepKind.CREATE_INDEX:
            message = f"{_index(step)} is made without CONCURRENTLY: nobody can write to {table} until it is done"
            severity = Severity.WARNING
        else:
            message = f"{_index(step)} is dropped without CONCURRENTLY: {table} is locked, and all who come after wait"
            severity = Severity.NOTE
        fix, remedies = fix_of(migration, "use CONCURRENTLY, outside of a transaction", _sql(step), _alembic(step))
        return self.finding(step, severity, message, _subject(step), fix=fix, remedies=remedies)


def _index(step: Step) -> str:
    return f"the index `{step.name}`" if step.name else f"an index of `{step.table}`"


def _subject(step: Step) -> str:
    return step.name or (f"{step.table}({', '.join(step.columns)})" if step.columns else step.table)


def _sql(step: Step) -> str:
    if step.kind is StepKind.DROP_INDEX:
        return f"DROP INDEX CONCURRENTLY {sql_name(step.name)};"
    unique = "UNIQUE " if step.constraint else ""
    columns = ", ".join(map(sql_name, step.columns)) or "..."
    return f"CREATE {unique}INDEX CONCURRENTLY {sql_name(step.name or 'ix')} ON {sql_name(step.table)} ({columns});"


def _alembic(step: Step) -> str:
    schema, _, table = step.table.rpartition(".")
    place = f', schema="{schema}"' if schema else ""
    unique = ", unique=True" if step.constraint else ""
    if step.kind is StepKind.DROP_INDEX:
        call = f'op.drop_index("{step.name}", table_name="{table}"{place}, postgresql_concurrently=True)'
    else:
        columns = "[" + ", ".join(f'"{column}"' for column in step.columns) + "]"
        call = f'op.create_index("{step.name}", "{table}", {columns}{unique}{place}, postgresql_concurrently=True)'
    return f"with op.get_context().autocommit_block():\n    {call}"
