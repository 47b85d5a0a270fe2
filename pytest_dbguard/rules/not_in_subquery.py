"""DBG405: NOT IN is compared with what may be NULL, which makes it true for no row."""

from __future__ import annotations

from typing import ClassVar

from pytest_dbguard.core.findings import Certainty, Finding, Fix, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.lint_findings import LintRule, both, fix_for, table_of
from pytest_dbguard.schema.catalog import Table
from pytest_dbguard.schema.quoting import quoted
from pytest_dbguard.sql.lint.model import LintMark, MarkKind

_KEYS = frozenset({"id", "pk", "uuid", "rowid", "oid", "ctid"})
"""Names of columns that hold no NULL wherever they are found."""


class NotInSubquery(LintRule):
    """not-in-subquery (DBG405).

    ## What it does
    Finds `NOT IN (SELECT ...)` and `<> ALL (SELECT ...)` whose query may return NULL: its column takes NULL by the
    schema, or an outer join adds it, and no condition leaves it out. Also lists that hold NULL themselves.

    ## Why is this bad?
    `x NOT IN (1, NULL)` is never true: nobody knows whether NULL is x. One row with NULL, and the statement returns
    nothing at all. PostgreSQL cannot make a join of it either, and may run the query for each row.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Category(Base):
        __tablename__ = "category"
        id: Mapped[int] = mapped_column(primary_key=True)
        parent_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"), index=True)

    Base.metadata.create_all(engine)
    session.scalars(select(Category.id).where(Category.id.not_in(select(Category.parent_id)))).all()
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Category(Base):
        __tablename__ = "category"
        id: Mapped[int] = mapped_column(primary_key=True)
        parent_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"), index=True)

    Base.metadata.create_all(engine)
    child = aliased(Category)
    session.scalars(select(Category.id).where(~exists().where(child.parent_id == Category.id))).all()
    ```

    ## Options
    - `severity` (default "warning"): a note where the schema is not known.

    ## Limits
    Silent about values that are computed, but for CASE without ELSE and NULLIF, and about several columns at once.
    """

    code: ClassVar[str] = "DBG405"
    name: ClassVar[str] = "not-in-subquery"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE
    kind: ClassVar[MarkKind] = MarkKind.NOT_IN_SUBQUERY

    def draft(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        """Return the finding about a test that one NULL makes true for no row."""
        if mark.detail == "list":
            message = f"the list of `{mark.expression}` holds NULL, so that it is true for no row"
            return self.finding(mark, message, fix=Fix("leave NULL out, and add `OR ... IS NULL` where it is meant"))
        if mark.detail == "value":
            message = f"some of the values are NULL, so that `{mark.expression}` is true for no row"
            return self.finding(mark, message, fix=Fix("write it as NOT EXISTS, or leave NULL out of the inner query"))
        name, table = mark.columns[0], table_of(assessment, mark)
        column = table.column(name) if table is not None else None
        is_outer = mark.detail == "outer"
        if column is not None and not is_outer and (not column.nullable or _is_key(table, name)):
            return None
        if column is None and not is_outer and name.lower() in _KEYS:
            return None
        is_known = is_outer or column is not None
        label = f"`{table.label if table is not None else mark.table}.{name}`"
        why = f"an outer join makes {label} NULL" if is_outer else f"{label} may be NULL"
        ways = f"write it as NOT EXISTS, or add `{name} IS NOT NULL` to the inner query"
        sqlalchemy = _as_sqlalchemy(mark)
        return self.finding(
            mark,
            f"{why}: with one NULL `{mark.expression}` is true for no row"
            if is_known
            else f"if {label} is ever NULL, `{mark.expression}` is true for no row",
            severity=None if is_known else Severity.NOTE,
            certainty=Certainty.CERTAIN if is_known else Certainty.LIKELY,
            fix=fix_for(statement, ways, sqlalchemy=sqlalchemy, sql=mark.rewrite),
            remedies=both(sqlalchemy, mark.rewrite),
        )


def _is_key(table: Table | None, name: str) -> bool:
    # SQLite's schema lets the columns of a primary key be NULL
    return table is not None and name in table.primary_key


def _as_sqlalchemy(mark: LintMark) -> str:
    """Return the test as NOT EXISTS; what else the inner query asks for stays as it is."""
    theirs, _, column = mark.other.partition(".")
    is_plain = bool(mark.rewrite) and theirs != mark.table
    if not is_plain or not all(name.isidentifier() for name in (mark.table, *mark.columns, theirs, column)):
        return f".where({quoted(mark.columns[0])}.is_not(None))" if mark.columns[0].isidentifier() else ""
    return f".where(~exists().where({mark.table}.c.{mark.columns[0]} == {theirs}.c.{column}))"
