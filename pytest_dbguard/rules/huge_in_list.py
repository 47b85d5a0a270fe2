"""DBG410: a column is looked up in a list of very many values."""

from __future__ import annotations

from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.rules.base import RuleOptions, Stage
from pytest_dbguard.rules.lint_findings import LintRule, both, fix_for
from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.sql.lint.model import LintMark, MarkKind

MAX_VALUES = 1_000


class HugeInListOptions(RuleOptions):
    """Options of huge-in-list."""

    max_values: int = MAX_VALUES


class HugeInList(LintRule):
    """huge-in-list (DBG410).

    ## What it does
    Finds `IN (...)` with a list of more than `max_values` values.

    ## Why is this bad?
    Each value is a parameter that is sent, parsed and planned, and each length of the list is another statement for
    the caches of plans. Servers and drivers allow only so many parameters (PostgreSQL 65,535, SQLite 32,766): the list
    that grows with the data fails one day. An array is one parameter of one statement.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)

    Base.metadata.create_all(engine)
    wanted = list(range(1200))
    session.scalars(select(Book.id).where(Book.id.in_(wanted))).all()
    ```

    ## Use instead
    ```python
    from sqlalchemy.orm import Session

    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)

    Base.metadata.create_all(engine)
    wanted = "[" + ",".join(str(number) for number in range(1200)) + "]"
    values = func.json_each(wanted).table_valued("value")  # PostgreSQL: Book.id == any_(array)
    session.scalars(select(Book.id).where(Book.id.in_(select(values.c.value)))).all()
    ```

    ## Options
    - `max_values` (default 1000): lists of at most so many values are in order.
    - `severity` (default "warning").

    ## Limits
    Of all executions of a statement the longest list counts. `= ANY(array)` and rows to insert are no lists.
    """

    code: ClassVar[str] = "DBG410"
    name: ClassVar[str] = "huge-in-list"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE
    kind: ClassVar[MarkKind] = MarkKind.IN_LIST
    options_model: ClassVar[type[RuleOptions]] = HugeInListOptions

    def draft(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        """Return the finding about a list; of several in one statement about the longest of its text."""
        length = max(_longest(statement), mark.number or 0)
        if length <= self._max_values or mark is not _main(statement):
            return None
        many = "NOT IN" if mark.detail == "not" else "IN"
        column = mark.columns[0] if len(mark.columns) == 1 else ""
        is_postgres = assessment.catalog.dialect is Dialect.POSTGRESQL
        left = column or mark.expression
        sqlalchemy, sql = _array(mark, left) if is_postgres else _json(mark, left)
        return self.finding(
            mark,
            f"`{mark.subject}` is looked up by {many} with {length:,} values, each a parameter of its own",
            fix=fix_for(statement, "hand the values over as one", sqlalchemy=sqlalchemy, sql=sql),
            remedies=both(sqlalchemy, sql),
        )

    @property
    def _max_values(self) -> int:
        return self._options.max_values if isinstance(self._options, HugeInListOptions) else MAX_VALUES


def _longest(statement: AssessedStatement) -> int:
    exemplar = statement.statement.exemplar
    return exemplar.longest_list if exemplar is not None else 0


def _main(statement: AssessedStatement) -> LintMark | None:
    """Return the mark of the list that is taken for the longest: the texts tell only how long that one is."""
    lists = [mark for mark in statement.marks if mark.kind is MarkKind.IN_LIST]
    return max(lists, key=lambda mark: mark.number or 0, default=None)


def _array(mark: LintMark, left: str) -> tuple[str, str]:
    column = f"{mark.table}.c.{left}" if mark.columns else "column"
    if mark.detail == "not":
        return f".where({column} != all_(bindparam('wanted', values)))", f"{left} <> ALL(:wanted)"
    return f".where({column} == any_(bindparam('wanted', values)))", f"{left} = ANY(:wanted)"


def _json(mark: LintMark, left: str) -> tuple[str, str]:
    column = f"{mark.table}.c.{left}" if mark.columns else "column"
    how = "not_in" if mark.detail == "not" else "in_"
    word = "NOT IN" if mark.detail == "not" else "IN"
    values = 'func.json_each(json.dumps(values)).table_valued("value").c.value'
    return f".where({column}.{how}(select({values})))", f"{left} {word} (SELECT value FROM json_each(:wanted))"
