"""DBG406: a pattern that begins with a wildcard is all that finds the rows of a table."""

from __future__ import annotations

from typing import ClassVar

from pydantic import PositiveInt

from pytest_dbguard.core.findings import Finding, Fix, Remedy, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment, Obstacle
from pytest_dbguard.rules.base import RuleOptions, Stage
from pytest_dbguard.rules.lint_findings import LintRule, is_told_elsewhere, rows_of, scan_of, table_of
from pytest_dbguard.schema.catalog import Dialect, Table
from pytest_dbguard.schema.quoting import quoted
from pytest_dbguard.sql.lint.model import LintMark, MarkKind


class LeadingWildcardOptions(RuleOptions):
    """From which size on it matters."""

    min_rows: PositiveInt = 10_000


class LeadingWildcard(LintRule):
    """leading-wildcard (DBG406).

    ## What it does
    Finds patterns such as `LIKE '%text%'`, and searches by `strpos` and its like, where no other condition finds the
    rows and no index serves them (trigrams, full text). Where a planner can be asked, unusable-index (DBG203) tells
    of patterns in its place.

    ## Why is this bad?
    A B-tree is sorted by how texts begin. For what they contain or how they end each row is read and compared.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(index=True)

    Base.metadata.create_all(engine)
    session.execute(select(Person.id).where(func.instr(Person.name, "ann") > 0)).all()
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(index=True)

    Base.metadata.create_all(engine)
    session.execute(select(Person.id).where(Person.name == "ann")).all()
    ```

    ## Options
    - `severity` (default "warning"): a note where the schema is not known.
    - `min_rows` (default 10000): tables with fewer rows are small enough to be read.

    ## Limits
    Silent where another condition compares a column of the same query with a value.
    """

    code: ClassVar[str] = "DBG406"
    name: ClassVar[str] = "leading-wildcard"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW
    kind: ClassVar[MarkKind] = MarkKind.LEADING_WILDCARD
    options_model: ClassVar[type[RuleOptions]] = LeadingWildcardOptions
    _options: LeadingWildcardOptions

    def draft(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        """Return the finding about a scan that nothing but a pattern finds rows for."""
        table, scan = table_of(assessment, mark), scan_of(statement, mark)
        rows = rows_of(assessment, mark)
        if scan is None or (rows is not None and rows < self._options.min_rows):
            return None
        if is_told_elsewhere(statement, mark.alias, mark.query) or _is_judged(statement, mark):
            return None
        if table is not None and any(_is_served(table, column) for column in mark.columns):
            return None
        columns = ", ".join(f"`{column}`" for column in mark.columns)
        return self.finding(
            mark,
            f"rows of `{mark.table}` are looked for by what stands within {columns}: each execution reads all of them",
            severity=Severity.NOTE if table is None else None,
            fix=_fix(assessment.catalog.dialect),
            remedies=_remedies(assessment.catalog.dialect, mark),
        )


def _is_judged(statement: AssessedStatement, mark: LintMark) -> bool:
    """Whether the planner was asked about the pattern, and does not mind."""
    return any(
        unusable.obstacle is Obstacle.LEADING_WILDCARD
        and (unusable.alias, unusable.query) == (mark.alias, mark.query)
        and verdict.plan_before is not None
        for unusable, verdict in statement.unusable
    )


def _is_served(table: Table, column: str) -> bool:
    """Whether an index that is no B-tree, or a virtual table, finds what stands within a column."""
    keys = ((index, key) for index in table.indexes for key in index.keys if index.method not in ("btree", "hash"))
    return table.kind == "virtual" or any(column in (key.column or key.expression) for _, key in keys)


def _fix(dialect: Dialect) -> Fix:
    if dialect is Dialect.POSTGRESQL:
        return Fix("use full-text search, or a GIN index with `gin_trgm_ops` of the extension pg_trgm")
    return Fix("use a full-text table (FTS5)")


def _remedies(dialect: Dialect, mark: LintMark) -> tuple[Remedy, ...]:
    if dialect is not Dialect.POSTGRESQL or mark.detail == "position":
        return ()
    name = f"ix_{mark.table}_{mark.columns[0]}_trgm"
    keys = ", ".join(f"{quoted(column)} gin_trgm_ops" for column in mark.columns)
    classes = ", ".join(f'"{column}": "gin_trgm_ops"' for column in mark.columns)
    listed = ", ".join(f'"{column}"' for column in mark.columns)
    return (
        Remedy("sql", f"CREATE INDEX CONCURRENTLY {quoted(name)} ON {quoted(mark.table)} USING gin ({keys});"),
        Remedy(
            "sqlalchemy",
            f'Index("{name}", {listed}, postgresql_using="gin", postgresql_ops={{{classes}}})',
        ),
    )
