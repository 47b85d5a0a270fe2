"""DBG303: a table is joined of which nothing is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.planning.assessment import Assessment
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.index_findings import IndexRule, at_each_place


class UnusedJoin(IndexRule):
    """unused-join (DBG303).

    ## What it does
    Finds joins that change nothing: no column of the joined table is read, and keys guarantee that the join neither
    adds rows nor takes any away.

    ## Why is this bad?
    The database looks up a row for each row, to forget it. PostgreSQL leaves out some such joins by itself, but not
    inner ones.

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
        author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), index=True)

    Base.metadata.create_all(engine)
    session.execute(select(Book.id).outerjoin(Author, Book.author_id == Author.id)).all()
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
    session.execute(select(Book.id)).all()
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    SQLite enforces foreign keys only where it is asked to, so that there only outer joins are found.
    """

    code: ClassVar[str] = "DBG303"
    name: ClassVar[str] = "unused-join"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each joined table and place."""
        for statement in assessment.statements:
            for join in statement.unused_joins:
                draft = Finding(
                    rule=self.code,
                    name=self.name,
                    severity=self.severity,
                    subject=join.table,
                    message=f"`{join.table}` is joined and nothing of it is read: {join.reason}",
                    fix=Fix("leave the join out"),
                )
                yield from at_each_place(draft, statement)
