"""DBG814: a migration waits without limit for a lock that keeps everybody else waiting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.migration_findings import (
    ReviewRule,
    executed,
    fix_of,
    is_for_postgres,
    locks_readers_out,
    used_steps,
)
from pytest_dbguard.schema.migration import Migration, Step, StepKind

_LIMITS = ("lock_timeout", "statement_timeout")


class NoLockTimeout(ReviewRule):
    """no-lock-timeout (DBG814).

    ## What it does
    Finds migrations for PostgreSQL that take a lock which keeps even readers away from a table in use, and set no
    `lock_timeout`: neither in the script nor in Alembic's env.py.

    ## Why is this bad?
    The lock itself may be short. But while it waits for one long query, every statement that comes after it waits
    behind it: the table is gone for all until that query ends. With a limit the migration fails, and is tried again.

    ## Example
    ```python
    import sqlalchemy as sa
    from alembic import op

    revision = "2f6a"
    down_revision = "1c3e"

    def upgrade():
        op.add_column("orders", sa.Column("note", sa.Text(), nullable=True))
    ```

    ## Use instead
    ```python
    import sqlalchemy as sa
    from alembic import op

    revision = "2f6a"
    down_revision = "1c3e"

    def upgrade():
        op.execute("SET lock_timeout = '5s'")
        op.add_column("orders", sa.Column("note", sa.Text(), nullable=True))
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    One finding for each script, at the first such step. A limit that the role, the server or the URL of the
    connection sets is not seen.
    """

    code: ClassVar[str] = "DBG814"
    name: ClassVar[str] = "no-lock-timeout"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW

    def review(self, migration: Migration) -> Iterable[Finding]:
        """Yield a finding for the first step that waits without limit."""
        if not is_for_postgres(migration):
            return
        limited = next((step for step in migration.steps if _is_limit(step)), None)
        before = migration.steps if limited is None else migration.steps[: migration.steps.index(limited)]
        locking = [step for step in used_steps(migration) if locks_readers_out(step) and any(step is s for s in before)]
        if not locking:
            return
        first = locking[0]
        tables = list(dict.fromkeys(step.table for step in locking if step.table))
        table = f"`{first.table}`" if first.table else f"the table of `{first.name}`"
        message = f"the lock of {table} keeps readers and writers waiting, and no `lock_timeout` limits how long"
        said = "SET lock_timeout = '5s'"
        fix, remedies = fix_of(migration, "limit the wait, and try again when it fails", f"{said};", executed(said))
        evidence = (f"it locks {', '.join(f'`{each}`' for each in tables)}",) if len(tables) > 1 else ()
        subject = first.table or first.name
        yield self.finding(first, Severity.WARNING, message, subject, fix=fix, remedies=remedies, evidence=evidence)


def _is_limit(step: Step) -> bool:
    return step.kind is StepKind.SET_TIMEOUT and step.name in _LIMITS
