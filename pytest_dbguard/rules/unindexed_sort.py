"""DBG204: a statement sorts a table to return its first rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import Assessment, Purpose
from pytest_dbguard.planning.plan import Access
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.index_findings import IndexRule, Need, at_each_place, count, need_finding, needs, node_of


class UnindexedSort(IndexRule):
    """unindexed-sort (DBG204).

    ## What it does
    Finds statements with ORDER BY and LIMIT for which no index gives the order: all rows are read and sorted to return
    the first few. Confirmed by a planner as missing-index is.

    ## Why is this bad?
    The first page of a list costs as much as the whole list. With an index in that order the database reads as many
    rows as it returns.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Article(Base):
        __tablename__ = "article"
        id: Mapped[int] = mapped_column(primary_key=True)
        published_at: Mapped[int]

    Base.metadata.create_all(engine)
    session.scalars(select(Article).order_by(Article.published_at.desc()).limit(10)).all()
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Article(Base):
        __tablename__ = "article"
        id: Mapped[int] = mapped_column(primary_key=True)
        published_at: Mapped[int] = mapped_column(index=True)

    Base.metadata.create_all(engine)
    session.scalars(select(Article).order_by(Article.published_at.desc()).limit(10)).all()
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Silent without a LIMIT: who wants all rows has to sort them or read them in another order, and both take their
    time. Where columns are filtered by as well and no index serves them, missing-index reports one index for both.
    """

    code: ClassVar[str] = "DBG204"
    name: ClassVar[str] = "unindexed-sort"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each index and place."""
        for need in needs(assessment, (Purpose.SORT,)):
            yield from at_each_place(need_finding(self, assessment, need, _message(need)), need.statement)


def _message(need: Need) -> str:
    node = node_of(need.verdict.plan_before, need.scan)
    if need.verdict.rows is not None and node is not None and node.access is Access.SEQUENTIAL:
        does = f"each execution sorts all {count(need.verdict.rows)} rows"
    else:
        does = "each execution sorts all that it finds"
    return f"no index has the order of `{need.subjects[0]}`: {does} to return the first"
