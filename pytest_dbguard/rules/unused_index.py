"""DBG206: an index that no statement of the run has a use for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.planning.assessment import Assessment
from pytest_dbguard.rules.base import RuleOptions, Stage
from pytest_dbguard.rules.index_findings import IndexRule, drop_remedies
from pytest_dbguard.schema.catalog import Index, Table


class UnusedIndexOptions(RuleOptions):
    """Options of unused-index."""

    min_statements: Annotated[int, Field(strict=True, ge=1)] = 50


class UnusedIndex(IndexRule):
    """unused-index (DBG206).

    ## What it does
    Finds indexes that no plan of the run uses, and whose first column no statement of it filters, joins, sorts or
    groups by, though the run reads the table.

    ## Why is this bad?
    Each write of a row writes an entry into each index. What was made for a page that is gone costs for ever.

    ## Example
    ```python
    # dbguard: min_statements = 1
    class Base(DeclarativeBase):
        pass

    class Visit(Base):
        __tablename__ = "visit"
        id: Mapped[int] = mapped_column(primary_key=True)
        at: Mapped[int] = mapped_column(index=True)

    Base.metadata.create_all(engine)
    session.get(Visit, 3)
    ```

    ## Use instead
    ```python
    # dbguard: min_statements = 1
    class Base(DeclarativeBase):
        pass

    class Visit(Base):
        __tablename__ = "visit"
        id: Mapped[int] = mapped_column(primary_key=True)
        at: Mapped[int]

    Base.metadata.create_all(engine)
    session.get(Visit, 3)
    ```

    ## Options
    - `severity` (default "note").
    - `min_statements` (default 50): runs with fewer different statements are not judged: they are a part of the tests.

    ## Limits
    It knows what the tests of this run do: a job that no test runs may need the index. Indexes that forbid equal keys
    and those that begin with a foreign key are never reported.
    """

    code: ClassVar[str] = "DBG206"
    name: ClassVar[str] = "unused-index"
    severity: ClassVar[Severity] = Severity.NOTE
    stage: ClassVar[Stage] = Stage.PREVIEW
    options_model: ClassVar[type[RuleOptions]] = UnusedIndexOptions

    def __init__(self, options: RuleOptions) -> None:
        super().__init__(options)
        known = options if isinstance(options, UnusedIndexOptions) else UnusedIndexOptions()
        self._min_statements = known.min_statements

    needs_whole_run: ClassVar[bool] = True

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each index; none where statements were left out, since they might need it."""
        if assessment.not_analysed or len(assessment.statements) < self._min_statements:
            return
        for table, index in _unused(assessment):
            yield Finding(
                rule=self.code,
                name=self.name,
                severity=self.severity,
                subject=index.name,
                message=f"no statement of this run has a use for the index `{index.name}` of `{table.label}`",
                fix=Fix("drop it, if nothing that no test runs needs it"),
                remedies=drop_remedies(table, index, assessment.catalog.dialect),
            )


def _unused(assessment: Assessment) -> Iterator[tuple[Table, Index]]:
    scanned = {(scan.schema, scan.table) for each in assessment.statements for scan in each.facts.scans}
    read = {found.label for schema, name in scanned if (found := assessment.catalog.table(name, schema)) is not None}
    for table in assessment.catalog.tables:
        keys = {key.columns[0] for key in table.foreign_keys}
        for index in table.indexes if table.label in read and table.partition_of is None else ():
            is_needed = (table.schema, index.name) in assessment.used_indexes or index.columns[0] in keys
            if not (is_needed or index.is_unique or index.is_primary or index.is_constraint):
                yield table, index
