"""DBG302: tables are joined by a column that no index serves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import Assessment, Purpose
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.index_findings import IndexRule, Need, at_each_place, need_finding, needs, reads_text


class UnindexedJoin(IndexRule):
    """unindexed-join (DBG302).

    ## What it does
    Finds joins, also those of IN, EXISTS and correlated subqueries, whose rows no index finds: the column that is
    joined has none, and the planner would use it from the other side. Confirmed by a planner as missing-index is.

    ## Why is this bad?
    To find three children of one parent the database reads the children of all parents, in each execution. A foreign
    key declares the reference; neither PostgreSQL nor SQLite makes an index for it.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "author"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))

    Base.metadata.create_all(engine)
    session.scalars(select(Book).join(Author, Book.author_id == Author.id).where(Author.id == 3)).all()
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "author"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), index=True)

    Base.metadata.create_all(engine)
    session.scalars(select(Book).join(Author, Book.author_id == Author.id).where(Author.id == 3)).all()
    ```

    ## Options
    - `severity` (default "error"): what was not planned is a warning.

    ## Limits
    Silent where an index serves the join from its other side, and where the statement reads both tables to the end:
    then no index is faster than reading them once.
    """

    code: ClassVar[str] = "DBG302"
    name: ClassVar[str] = "unindexed-join"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each index and place."""
        for need in needs(assessment, (Purpose.JOIN, Purpose.FOREIGN_KEY)):
            yield from at_each_place(need_finding(self, assessment, need, _message(need)), need.statement)


def _message(need: Need) -> str:
    reads = reads_text(need.verdict, need.scan)
    others = (term.other[0] for term in need.wanted.terms if term.other is not None)
    scans = (need.statement.facts.scan(alias) for alias in others)
    other = next((scan.table for scan in scans if scan is not None), "")
    joined = f", which joins `{other}`" if other else ""
    return f"no index serves `{need.subjects[0]}`{joined}: {reads}"
