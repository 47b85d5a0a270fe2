"""DBG412: a condition in WHERE takes away the rows that an outer join keeps."""

from __future__ import annotations

from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.lint_findings import LintRule, both, fix_for
from pytest_dbguard.sql.lint.model import LintMark, MarkKind

_WORDS = {"left": "LEFT JOIN", "right": "RIGHT JOIN", "full": "FULL JOIN"}


class LeftJoinNegated(LintRule):
    """left-join-negated (DBG412).

    ## What it does
    Finds outer joins whose optional side is asked for in WHERE by a condition that NULLs cannot pass.

    ## Why is this bad?
    An outer join keeps rows without a partner, with NULLs in its place. A condition such as `customer.city = 'Riga'`
    drops exactly these: what is left is an inner join. Either rows are missing that were meant to be there, and the
    condition belongs into ON, or the outer join only misleads whoever reads it.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "author"
        id: Mapped[int] = mapped_column(primary_key=True)
        country: Mapped[str] = mapped_column(index=True)

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), index=True)

    Base.metadata.create_all(engine)
    stmt = select(Book.id, Author.id).outerjoin(Author, Book.author_id == Author.id).where(Author.country == "pt")
    session.execute(stmt).all()
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "author"
        id: Mapped[int] = mapped_column(primary_key=True)
        country: Mapped[str] = mapped_column(index=True)

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), index=True)

    Base.metadata.create_all(engine)
    stmt = select(Book.id, Author.id).join(Author, Book.author_id == Author.id).where(Author.country == "pt")
    session.execute(stmt).all()
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Filters that are added on demand to one query that is joined for all of them are found as well; planners make inner
    joins of these, so that they cost nothing. `IS NULL`, `COALESCE(...)` and other functions let NULLs pass.
    """

    code: ClassVar[str] = "DBG412"
    name: ClassVar[str] = "left-join-negated"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW
    kind: ClassVar[MarkKind] = MarkKind.NEGATED_OUTER_JOIN

    def draft(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        """Return the finding about an outer join."""
        how = _WORDS.get(mark.detail, "an outer join")
        asked = f"`{mark.subject}.{mark.columns[0]}`" if mark.columns else f"`{mark.subject}`"
        kept = "rows of one side without a partner" if mark.detail == "full" else f"rows without `{mark.subject}`"
        sqlalchemy = f".join({mark.subject}, ...)  # or the condition in .outerjoin({mark.subject}, and_(...))"
        sql = f"JOIN {mark.subject} ON ...  -- or LEFT JOIN {mark.subject} ON ... AND {mark.expression}"
        if mark.detail not in ("left", "is not null"):
            sqlalchemy, sql = "", ""
        return self.finding(
            mark,
            f"{how} keeps {kept}, and WHERE drops them again: NULL does not pass the condition on {asked}",
            fix=fix_for(statement, "join it inside, or move the condition into ON", sqlalchemy=sqlalchemy, sql=sql),
            remedies=both(sqlalchemy, sql),
        )
