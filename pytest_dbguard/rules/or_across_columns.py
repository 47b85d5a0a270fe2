"""DBG413: an OR between conditions on different tables, which no index serves."""

from __future__ import annotations

from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.lint_findings import LintRule, both, fix_for, is_told_elsewhere, told_rows
from pytest_dbguard.sql.lint.model import LintMark, MarkKind

FEW_ROWS = 1_000
"""Rows of a table that are joined in no time."""


class OrAcrossColumns(LintRule):
    """or-across-columns (DBG413).

    ## What it does
    Finds `a.x = ... OR b.y = ...` in WHERE, where `a` and `b` are joined and nothing else says which rows are wanted.

    ## Why is this bad?
    An index on `a.x` finds the rows of the first branch only, one on `b.y` those of the second. For the OR the database
    has to join both tables whole and look at each row. Two queries, each with an index of its own, and UNION, which
    leaves out what both find, do the same with little.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "author"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(index=True)

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str] = mapped_column(index=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), index=True)

    Base.metadata.create_all(engine)
    stmt = select(Book.id, Author.id).join(Author, Book.author_id == Author.id)
    session.execute(stmt.where(or_(Book.title == "Walden", Author.name == "Walden"))).all()
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "author"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(index=True)

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str] = mapped_column(index=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), index=True)

    Base.metadata.create_all(engine)
    stmt = select(Book.id, Author.id).join(Author, Book.author_id == Author.id)
    either = union(stmt.where(Book.title == "Walden"), stmt.where(Author.name == "Walden"))
    session.execute(either).all()
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Silent where another condition of the query finds rows by a value, where a table is known to have at most 1,000
    rows, and where a missing index is told of the same table. ORs on columns of one table are a matter of missing
    indexes (DBG201): a database unites what several indexes find.
    """

    code: ClassVar[str] = "DBG413"
    name: ClassVar[str] = "or-across-columns"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW
    kind: ClassVar[MarkKind] = MarkKind.OR_ACROSS

    def draft(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        """Return the finding about an OR."""
        columns = mark.detail.split(",")
        scans = [scan for scan in statement.facts.scans if scan.query == mark.query]
        sizes = [told_rows(assessment, scan.table, scan.schema) for scan in scans]
        if any(size is not None and size <= FEW_ROWS for size in sizes):
            return None
        if any(is_told_elsewhere(statement, scan.alias, scan.query) for scan in scans):
            return None
        named = " OR ".join(f"`{column}`" for column in columns)
        sqlalchemy = "union(stmt.where(...), stmt.where(...))"
        sql = "SELECT ... WHERE ... UNION SELECT ... WHERE ..."
        return self.finding(
            mark,
            f"{named} asks for columns of different tables: no index finds such rows, so that the whole join is read",
            fix=fix_for(statement, "unite two queries, one for each branch", sqlalchemy=sqlalchemy, sql=sql),
            remedies=both(sqlalchemy, sql),
        )
