"""DBG402: all rows of a large table come back."""

from __future__ import annotations

from typing import ClassVar

from pydantic import PositiveInt

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.planning.workload import Use
from pytest_dbguard.rules.base import RuleOptions, Stage
from pytest_dbguard.rules.index_findings import count
from pytest_dbguard.rules.lint_findings import LintRule, fix_for, streams, told_rows
from pytest_dbguard.sql.lint.model import LintMark, MarkKind


class UnboundedSelectOptions(RuleOptions):
    """How many rows are too many."""

    min_rows: PositiveInt = 10_000


class UnboundedSelect(LintRule):
    """unbounded-select (DBG402).

    ## What it does
    Finds statements that return all rows of a table which is known to be large: nothing filters, groups or limits them.
    How large it is must be told, by production's statistics or by `[tool.dbguard.scale]`.

    ## Why is this bad?
    Drivers read all rows of a result into memory before they give the first one. Ten rows in a test are ten million in
    production, and each of them becomes an object.

    ## Example
    ```python
    # dbguard: scale = {person = 1_000_000}
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    Base.metadata.create_all(engine)
    session.scalars(select(Person)).all()
    ```

    ## Use instead
    ```python
    # dbguard: scale = {person = 1_000_000}
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    Base.metadata.create_all(engine)
    session.scalars(select(Person).order_by(Person.id).limit(100)).all()
    ```

    ## Options
    - `severity` (default "warning").
    - `min_rows` (default 10000): rows of the table from which it is large.

    ## Limits
    Silent where the source shows that rows are streamed (`yield_per`, `partitions`, `stream`), about statements with
    any condition, and about joins that may leave rows out.
    """

    code: ClassVar[str] = "DBG402"
    name: ClassVar[str] = "unbounded-select"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW
    kind: ClassVar[MarkKind] = MarkKind.UNBOUNDED_SELECT
    options_model: ClassVar[type[RuleOptions]] = UnboundedSelectOptions
    _options: UnboundedSelectOptions

    def concerns(self, use: Use) -> bool:
        """Whether the rows of a place come all at once."""
        return not streams(use)

    def draft(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        """Return the finding about a large table; None for one that others are joined with which may take rows away."""
        rows = told_rows(assessment, mark.table, mark.schema)
        if rows is None or rows < self._options.min_rows:
            return None
        if mark.detail == "joined" and not _keeps_rows(assessment, statement, mark):
            return None
        return self.finding(
            mark,
            f"all {count(rows)} rows of `{mark.table}` come back at once: nothing filters or limits them",
            fix=fix_for(
                statement,
                "return a page of them, or stream them",
                sqlalchemy=".execution_options(yield_per=1_000)",
                sql="LIMIT :limit",
            ),
            evidence=(f"{count(rows)} rows by {assessment.statistics.source}",),
        )


def _keeps_rows(assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> bool:
    """Whether foreign keys lead from a table to each of those that it is joined with: each row finds its partner."""
    scans = {scan.alias: scan for scan in statement.facts.scans if scan.query == mark.query and not scan.is_outer}
    reached, pending = {mark.alias}, [mark.alias]
    while pending:
        alias = pending.pop()
        for other in scans.keys() - reached:
            if _refers(assessment, statement, scans[alias].alias, other, mark.query):
                reached.add(other)
                pending.append(other)
    return reached == set(scans)


def _refers(assessment: Assessment, statement: AssessedStatement, alias: str, other: str, query: int) -> bool:
    own, theirs = statement.facts.scan(alias, query), statement.facts.scan(other, query)
    table = assessment.catalog.table(own.table, own.schema) if own is not None else None
    if table is None or theirs is None:
        return False
    pairs: set[tuple[str, str]] = set()
    for join in statement.facts.joins:
        if (join.left, join.right) == (alias, other):
            pairs |= set(join.equal)
        elif (join.left, join.right) == (other, alias):
            pairs |= {(right, left) for left, right in join.equal}
    return any(
        key.referred_table == theirs.table and set(zip(key.columns, key.referred_columns, strict=False)) == pairs
        for key in table.foreign_keys
    )
