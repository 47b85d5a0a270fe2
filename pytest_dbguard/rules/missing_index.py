"""DBG201: a statement filters by columns that no index serves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import Assessment, Purpose
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.index_findings import IndexRule, Need, at_each_place, need_finding, needs, reads_text


class MissingIndex(IndexRule):
    """missing-index (DBG201).

    ## What it does
    Finds statements that filter a table by columns for which no index exists, so that each execution reads all of it.
    A planner confirms it, without the index and with it, at the sizes that `dbguard-stats.json` tells of production,
    else at those of `[tool.dbguard.scale]`, else at 100,000 rows a table.

    ## Why is this bad?
    Ten rows are read at once, with an index or without, so no test notices. Ten million are not: the page times out,
    and the database reads the same table again for every visitor.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str]

    Base.metadata.create_all(engine)
    session.scalars(select(Person).where(Person.email == "ann@example.org")).all()
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(index=True)

    Base.metadata.create_all(engine)
    session.scalars(select(Person).where(Person.email == "ann@example.org")).all()
    ```

    ## Options
    - `severity` (default "error"): what asks for a range, or was not planned, is a warning unless production's
      statistics prove it.

    ## Limits
    Silent where an index serves one of the conditions and the others only narrow what it finds, where the table is
    small (fewer than 500 rows, or reference data by its name), where nothing but a flag is asked for, and where the
    planner would not use the index. A range whose width nobody knows is reported where an index serves a narrow one.
    """

    code: ClassVar[str] = "DBG201"
    name: ClassVar[str] = "missing-index"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each index and place."""
        for need in needs(assessment, (Purpose.FILTER,)):
            yield from at_each_place(need_finding(self, assessment, need, _message(need)), need.statement)


def _message(need: Need) -> str:
    subjects = [f"`{each}`" for each in need.subjects]
    reads = reads_text(need.verdict, need.scan)
    if len(subjects) > 1:
        return f"an OR of {' and '.join(subjects)} needs an index on each: {reads}"
    if need.verdict.is_assumed:
        return f"no index serves a range of {subjects[0]}: {reads}, even for few of them"
    return f"no index serves {subjects[0]}: {reads}"
