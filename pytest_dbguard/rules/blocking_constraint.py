"""DBG815: a constraint is checked against all rows, or builds its index, while nobody can write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.migration_findings import (
    ReviewRule,
    executed,
    filled_steps,
    fix_of,
    in_transaction,
    is_for_postgres,
    sql_name,
    used_steps,
)
from pytest_dbguard.schema.migration import Migration, Step, StepKind, plain_name

_BY_ROWS = ("foreign key", "check")
_BY_INDEX = ("unique", "primary key")


class BlockingConstraint(ReviewRule):
    """blocking-constraint (DBG815).

    ## What it does
    Finds migrations for PostgreSQL that add a foreign key or a check to an existing table without NOT VALID, validate
    it in the transaction that adds it, or add a unique constraint or primary key without an index that is there.

    ## Why is this bad?
    All rows are read, or an index is built, under the lock that the constraint takes: a foreign key stops the writers
    of both tables, the others stop everybody. NOT VALID takes the lock for a moment; VALIDATE, in a transaction of its
    own, lets readers and writers go on.

    ## Example
    ```python
    from alembic import op

    revision = "2f6a"
    down_revision = "1c3e"

    def upgrade():
        op.create_foreign_key("fk_orders_city", "orders", "city", ["city_id"], ["id"])
    ```

    ## Use instead
    ```python
    from alembic import op

    revision = "2f6a"
    down_revision = "1c3e"

    def upgrade():
        op.create_foreign_key("fk_orders_city", "orders", "city", ["city_id"], ["id"], postgresql_not_valid=True)
        with op.get_context().autocommit_block():
            op.execute("ALTER TABLE orders VALIDATE CONSTRAINT fk_orders_city")
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Exclusion constraints are not told: there is no other way to add them. Silent for tables that the migration makes
    or empties, and for the first migration of a history.
    """

    code: ClassVar[str] = "DBG815"
    name: ClassVar[str] = "blocking-constraint"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE

    def review(self, migration: Migration) -> Iterable[Finding]:
        """Yield a finding for each constraint that blocks."""
        if not is_for_postgres(migration):
            return
        for step in filled_steps(migration):
            if step.kind is StepKind.ADD_CONSTRAINT and step.constraint in _BY_ROWS and step.is_valid:
                yield self._checked(migration, step)
            elif step.kind is StepKind.ADD_CONSTRAINT and step.constraint in _BY_INDEX and not step.has_index:
                yield self._built(migration, step)
        for step in _validated_at_once(migration):
            yield self._validated(migration, step)

    def _checked(self, migration: Migration, step: Step) -> Finding:
        who = f"writers of `{step.table}` and of what it refers to" if step.constraint == "foreign key" else "everybody"
        message = f"{_what(step)} of `{step.table}` is checked against all rows at once, and {who} must wait"
        name, table = _name(step), sql_name(step.table)
        validate = f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"
        sql = f"ALTER TABLE {table} ADD CONSTRAINT {name} ... NOT VALID;\n{validate};"
        call = "create_foreign_key" if step.constraint == "foreign key" else "create_check_constraint"
        how = f"# by op.{call}(..., postgresql_not_valid=True), and behind it:"
        alembic = f"{how}\nwith op.get_context().autocommit_block():\n    {executed(validate)}"
        title = "add it NOT VALID, and validate it in a transaction of its own"
        fix, remedies = fix_of(migration, title, sql, alembic)
        return self.finding(step, Severity.WARNING, message, _subject(step), fix=fix, remedies=remedies)

    def _built(self, migration: Migration, step: Step) -> Finding:
        message = f"{_what(step)} of `{step.table}` builds its index while nobody can read or write the table"
        name, table = sql_name(step.name or f"uq_{plain_name(step.table)}"), sql_name(step.table)
        columns = ", ".join(map(sql_name, step.columns)) or "..."
        make = f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({columns})"
        use = f"ALTER TABLE {table} ADD CONSTRAINT {name} {step.constraint.upper()} USING INDEX {name}"
        alembic = f"with op.get_context().autocommit_block():\n    {executed(make)}\n{executed(use)}"
        title = "build a unique index CONCURRENTLY first, and let the constraint take it over"
        fix, remedies = fix_of(migration, title, f"{make};\n{use};", alembic)
        return self.finding(step, Severity.WARNING, message, _subject(step), fix=fix, remedies=remedies)

    def _validated(self, migration: Migration, step: Step) -> Finding:
        message = (
            f"`{step.name}` of `{step.table}` is validated in the transaction that adds it: its lock lasts as long"
        )
        validate = f"ALTER TABLE {sql_name(step.table)} VALIDATE CONSTRAINT {sql_name(step.name)}"
        alembic = f"with op.get_context().autocommit_block():\n    {executed(validate)}"
        fix, remedies = fix_of(migration, "validate it in a transaction of its own", f"COMMIT;\n{validate};", alembic)
        return self.finding(step, Severity.WARNING, message, _subject(step), fix=fix, remedies=remedies)


def _validated_at_once(migration: Migration) -> Iterator[Step]:
    """Yield the validations that run in the transaction that adds what they validate."""
    added: set[tuple[str, str]] = set()
    for step in used_steps(migration):
        key = (plain_name(step.table), step.name)
        if not in_transaction(migration, step):
            # whatever ran before is committed
            added.clear()
        elif step.kind is StepKind.ADD_CONSTRAINT and not step.is_valid and step.name:
            added.add(key)
        elif step.kind is StepKind.VALIDATE_CONSTRAINT and key in added:
            yield step


def _name(step: Step) -> str:
    """Return the name of a constraint as SQL takes it; of one without, the name that PostgreSQL gives it."""
    if step.name:
        return sql_name(step.name)
    kind = "fkey" if step.constraint == "foreign key" else "check"
    table = step.table.rpartition(".")[2]
    is_known = bool(step.columns) or kind == "check"
    return sql_name("_".join((table, *step.columns, kind))) if is_known and table else "..."


def _what(step: Step) -> str:
    return f"the {step.constraint} `{step.name}`" if step.name else f"a {step.constraint}"


def _subject(step: Step) -> str:
    return step.name or (f"{step.table}({', '.join(step.columns)})" if step.columns else step.table)
