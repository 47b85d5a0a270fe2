"""DBG411: DISTINCT takes away the repeats that a join makes of rows."""

from __future__ import annotations

from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.lint_findings import LintRule, both, fix_for, table_of
from pytest_dbguard.schema.catalog import Table
from pytest_dbguard.sql.facts.model import Scan, TermKind
from pytest_dbguard.sql.lint.model import LintMark, MarkKind


class DistinctHidesDuplicates(LintRule):
    """distinct-hides-duplicates (DBG411).

    ## What it does
    Finds SELECT DISTINCT where a join repeats the rows of what is asked for: by a table of which no column is asked
    for, and of which several rows fit one.

    ## Why is this bad?
    The database makes a row for each row of the joined table, to sort or hash them all and throw the repeats away.
    EXISTS stops at the first row that fits.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "author"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        genre: Mapped[str] = mapped_column(index=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), index=True)

    Base.metadata.create_all(engine)
    stmt = select(Author).join(Book, Book.author_id == Author.id).where(Book.genre == "travel").distinct()
    print([author.name for author in session.scalars(stmt)])
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "author"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        genre: Mapped[str] = mapped_column(index=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), index=True)

    Base.metadata.create_all(engine)
    has_travel = exists().where(Book.author_id == Author.id, Book.genre == "travel")
    print([author.name for author in session.scalars(select(Author).where(has_travel))])
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Keys come from the schema: without one nothing is said. What is asked for are columns of one table, or keys of
    several. Silent where a column of the joined table is asked for, also
    in ORDER BY, where the join is by a unique key, and where queries or functions stand in FROM.
    """

    code: ClassVar[str] = "DBG411"
    name: ClassVar[str] = "distinct-hides-duplicates"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW
    kind: ClassVar[MarkKind] = MarkKind.DISTINCT_JOIN

    def draft(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        """Return the finding about a query whose rows a join repeats."""
        scans = {scan.alias: scan for scan in statement.facts.scans if scan.query == mark.query}
        if any(assessment.catalog.table(scan.table, scan.schema) is None for scan in scans.values()):
            return None
        unread = set(mark.detail.split(","))
        identified = _identified(assessment, statement, mark)
        # columns of one table alone need DISTINCT, but not the rows that the join adds
        known = identified or [alias for alias in scans if len(scans.keys() - unread) == 1 and alias not in unread]
        single = _single(assessment, statement, mark, known)
        repeating = [scan for alias, scan in scans.items() if alias in unread - single]
        if known[:1] != [mark.alias] or not repeating or not single >= scans.keys() - unread:
            return None
        name = repeating[0].table
        is_useless = all(scan.is_outer and not scan.terms for scan in repeating)
        rewrite = "" if is_useless else f"WHERE EXISTS (SELECT 1 FROM {name} WHERE ...)"
        title = f"leave out `{name}`" if is_useless else f"ask for `{name}` with EXISTS"
        title += ", and DISTINCT with it" if identified else ""
        code = "" if is_useless else f"select({mark.table}).where(exists().where({name}....))"
        return self.finding(
            mark,
            f"the join with `{name}` repeats the rows of `{mark.subject}`, and DISTINCT takes the repeats away again",
            fix=fix_for(statement, title, sqlalchemy=code, sql=rewrite),
            remedies=both(code, rewrite),
        )


def _identified(assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> list[str]:
    """Return the aliases of the tables of a query whose key is among the columns that are asked for."""
    asked = [each for each in statement.marks if each.kind is mark.kind and each.query == mark.query]
    tables = ((each, table_of(assessment, each)) for each in asked)
    return [each.alias for each, table in tables if table is not None and _identifies(table, each.columns)]


def _identifies(table: Table, columns: tuple[str, ...]) -> bool:
    """Whether the columns hold a key without NULLs, so that no two rows of the table are the same in them."""
    nullable = {column.name for column in table.columns if column.nullable}
    # columns of a primary key take no NULL, though SQLite's do not say so
    keys = (key for key in table.uniques() if key == table.primary_key or not set(key) & nullable)
    return any(set(key) <= set(columns) for key in keys)


def _single(assessment: Assessment, statement: AssessedStatement, mark: LintMark, known: list[str]) -> set[str]:
    """Return the aliases of the tables that have one row at most for each row of those that are `known`.

    These, and those that a key joins to one of them.
    """
    single = set(known)
    scans = [scan for scan in statement.facts.scans if scan.query == mark.query]
    is_growing = True
    while is_growing:
        found = {
            scan.alias for scan in scans if scan.alias not in single and _is_tied(assessment, statement, scan, single)
        }
        is_growing = bool(found)
        single |= found
    return single


def _is_tied(assessment: Assessment, statement: AssessedStatement, scan: Scan, single: set[str]) -> bool:
    """Whether all columns of a key of a table are equal to values, or to columns of rows that are single."""
    table = assessment.catalog.table(scan.table, scan.schema)
    if table is None:
        return False
    tied = {term.column for term in scan.terms if term.kind is TermKind.EQUAL and term.is_sargable}
    for join in statement.facts.joins:
        if (join.right, join.right_query) == (scan.alias, scan.query) and join.left in single:
            tied |= {right for _, right in join.equal}
        elif (join.left, join.left_query) == (scan.alias, scan.query) and join.right in single:
            tied |= {left for left, _ in join.equal}
    return any(set(key) <= tied for key in table.uniques())
