"""DBG401: all columns of a table are read, or wide ones for many rows."""

from __future__ import annotations

from typing import ClassVar

from pydantic import PositiveInt

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.planning.statistics.model import Origin
from pytest_dbguard.planning.workload import Use
from pytest_dbguard.rules.base import RuleOptions, Stage
from pytest_dbguard.rules.index_findings import count, size_text
from pytest_dbguard.rules.lint_findings import LintRule, statistics_of, table_of
from pytest_dbguard.sql.lint.model import LintMark, MarkKind


class WideSelectOptions(RuleOptions):
    """How wide is too wide."""

    min_columns: PositiveInt = 4
    max_width: PositiveInt = 500
    many_rows: PositiveInt = 1_000


class WideSelect(LintRule):
    """wide-select (DBG401).

    ## What it does
    Finds `SELECT *` in SQL that is written by hand, where all columns of a table are returned. Where production's
    statistics are there, also columns that are wide and are returned for many rows.

    ## Why is this bad?
    A column that is added later is read by each of these statements, moves the columns behind it, and may hold what
    nobody meant to return. No index holds all columns, so that none can answer the statement by itself.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        email: Mapped[str]
        notes: Mapped[str]

    Base.metadata.create_all(engine)
    session.execute(text("SELECT * FROM person WHERE id = 1")).all()
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        email: Mapped[str]
        notes: Mapped[str]

    Base.metadata.create_all(engine)
    session.execute(text("SELECT id, name FROM person WHERE id = 1")).all()
    ```

    ## Options
    - `severity` (default "note").
    - `min_columns` (default 4): a table with fewer columns may be read whole.
    - `max_width` (default 500): bytes of an average value from which a column is wide.
    - `many_rows` (default 1000): rows, as the planner expects them, from which wide columns are told.

    ## Limits
    Silent about `count(*)`, EXISTS, `INSERT ... SELECT *`, EXCEPT and INTERSECT, about queries over one that names its
    columns, about the database's own tables, and where the name of the table is put into the text. Values that
    PostgreSQL keeps apart (over 2 kB) count as 18 bytes.
    """

    code: ClassVar[str] = "DBG401"
    name: ClassVar[str] = "wide-select"
    severity: ClassVar[Severity] = Severity.NOTE
    stage: ClassVar[Stage] = Stage.STABLE
    kind: ClassVar[MarkKind] = MarkKind.WIDE_SELECT
    options_model: ClassVar[type[RuleOptions]] = WideSelectOptions
    _options: WideSelectOptions

    def concerns(self, use: Use) -> bool:
        """Whether a place knows which table it reads: who is handed its name cannot name its columns."""
        return not use.is_generic

    def draft(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        """Return the finding about a star, or about the widest of the columns that are returned."""
        return self._star(assessment, mark) if mark.detail == "*" else self._columns(assessment, statement, mark)

    def _star(self, assessment: Assessment, mark: LintMark) -> Finding | None:
        table = table_of(assessment, mark)
        if table is not None and len(table.columns) < self._options.min_columns and mark.expression == mark.table:
            return None
        tables = " and ".join(f"`{name}`" for name in mark.expression.split(", "))
        message = f"`SELECT *` returns all columns of {tables}, also those that are added later"
        return self.finding(mark, message, fix=Fix("name the columns that are used", mark.rewrite))

    def _columns(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        known = statistics_of(assessment, mark.table, mark.schema)
        rows = statement.plan.root.rows if statement.plan is not None else None
        if known is None or known.origin is not Origin.PRODUCTION or not rows or rows < self._options.many_rows:
            return None
        columns = [column for name in mark.columns if (column := known.column(name)) is not None]
        widest = max(columns, key=lambda column: column.average_width, default=None)
        if widest is None or widest.average_width <= self._options.max_width:
            return None
        width = size_text(widest.average_width)
        return self.finding(
            mark,
            f"`{mark.table}.{widest.name}`, {width} on average, is read for each of about {count(rows)} rows",
            subject=f"{mark.table}.{widest.name}",
            fix=Fix("read it where it is used: `defer`, `load_only`, or name the other columns"),
            evidence=(f"about {size_text(widest.average_width * rows)} in all, by {assessment.statistics.source}",),
        )
