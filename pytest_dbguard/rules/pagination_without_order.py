"""DBG408: rows are skipped that come in no certain order."""

from __future__ import annotations

from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.planning.workload import Use
from pytest_dbguard.rules.base import RuleOptions, Stage
from pytest_dbguard.rules.lint_findings import LintRule, fix_for, is_compiled, is_single, scan_of, skips, table_of
from pytest_dbguard.schema.catalog import Table
from pytest_dbguard.schema.quoting import quoted
from pytest_dbguard.sql.facts.model import Scan, TermKind
from pytest_dbguard.sql.lint.model import LintMark, MarkKind


class PaginationWithoutOrderOptions(RuleOptions):
    """How certain the order must be."""

    unique_order: bool = False


class PaginationWithoutOrder(LintRule):
    """pagination-without-order (DBG408).

    ## What it does
    Finds OFFSET in a query without ORDER BY, also where it is 0: the first of several pages. For SQLite, where
    SQLAlchemy always writes it, the source must say so.

    ## Why is this bad?
    Without ORDER BY a database returns rows in any order, and in another one for the next page: after an update, by
    another plan, or because another scan of the table is under way. Pages then repeat rows and miss others.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    Base.metadata.create_all(engine)
    session.scalars(select(Person).limit(20).offset(40)).all()
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    Base.metadata.create_all(engine)
    session.scalars(select(Person).order_by(Person.id).limit(20).offset(40)).all()
    ```

    ## Options
    - `severity` (default "warning").
    - `unique_order` (off by default): also tell of sort keys that several rows may have in common.

    ## Limits
    Silent about one row at a random place, aggregates, EXISTS and IN, DISTINCT ON, and LIMIT without OFFSET. An order
    that only a query in FROM has is none: databases need not keep it.
    """

    code: ClassVar[str] = "DBG408"
    name: ClassVar[str] = "pagination-without-order"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE
    kind: ClassVar[MarkKind] = MarkKind.UNORDERED_PAGE
    options_model: ClassVar[type[RuleOptions]] = PaginationWithoutOrderOptions
    _options: PaginationWithoutOrderOptions

    def draft(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        """Return the finding about a page whose rows nothing puts in order, or not all of them."""
        scan, table = scan_of(statement, mark), table_of(assessment, mark)
        if scan is None or is_single(assessment, scan):
            return None
        key = table.primary_key if table is not None else ()
        if not mark.detail:
            message = (
                f"OFFSET without ORDER BY: rows of `{mark.table}` come in any order, so that pages repeat and miss some"
            )
            return self._finding(statement, mark, message, "sort by what is unique", key)
        if not self._options.unique_order or table is None or _decides(scan, table, mark.columns):
            return None
        keys = ", ".join(f"`{column}`" for column in mark.columns)
        message = f"OFFSET sorted by {keys}, which several rows of `{mark.table}` may share: pages repeat and miss some"
        return self._finding(statement, mark, message, "sort by a unique column at last", (*mark.columns, *key))

    def uses(self, statement: AssessedStatement, mark: LintMark) -> tuple[Use, ...]:
        """Return the places that skip rows: SQLAlchemy writes OFFSET 0 beside each LIMIT for SQLite."""
        exemplar = statement.statement.exemplar
        is_sqlite = exemplar is not None and exemplar.style == "qmark" and is_compiled(statement)
        is_sure = bool(mark.number) or not is_sqlite
        return tuple(use for use in super().uses(statement, mark) if is_sure or skips(use))

    def _finding(
        self, statement: AssessedStatement, mark: LintMark, message: str, title: str, key: tuple[str, ...]
    ) -> Finding:
        is_plain = bool(key) and all(name.isidentifier() for name in (mark.table, *key))
        sqlalchemy = f".order_by({', '.join(f'{mark.table}.c.{name}' for name in key)})" if is_plain else ""
        sql = f"ORDER BY {', '.join(map(quoted, key))}" if key else ""
        return self.finding(mark, message, fix=fix_for(statement, title, sqlalchemy=sqlalchemy, sql=sql))


def _decides(scan: Scan, table: Table, columns: tuple[str, ...]) -> bool:
    """Whether no two rows are alike in the keys, and in what is compared with one value."""
    fixed = {term.column for term in scan.terms if term.kind is TermKind.EQUAL and term.is_sargable}
    return any(set(unique) <= {*columns, *fixed} for unique in table.uniques())
