"""DBG403: OFFSET skips many rows, each of which the database reads first."""

from __future__ import annotations

from typing import ClassVar

from pydantic import PositiveInt

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.rules.base import RuleOptions, Stage
from pytest_dbguard.rules.index_findings import count
from pytest_dbguard.rules.lint_findings import LintRule, both, fix_for, table_of
from pytest_dbguard.schema.catalog import Table
from pytest_dbguard.schema.quoting import quoted
from pytest_dbguard.sql.lint.model import LintMark, MarkKind


class DeepOffsetOptions(RuleOptions):
    """How deep is too deep."""

    max_offset: PositiveInt = 1_000


class DeepOffset(LintRule):
    """deep-offset (DBG403).

    ## What it does
    Finds statements that skip more than a thousand rows by OFFSET, by the number in the text or the largest one that
    tests sent.

    ## Why is this bad?
    The database reads and sorts all rows that it skips: page 5,000 costs as much as all pages before it together.
    A condition on the sort keys of the last row that was seen (keyset pagination) costs the same for each page.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    Base.metadata.create_all(engine)
    session.scalars(select(Person).order_by(Person.id).limit(20).offset(100_000)).all()
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
    last_id = 100_000
    session.scalars(select(Person).where(Person.id > last_id).order_by(Person.id).limit(20)).all()
    ```

    ## Options
    - `severity` (default "warning").
    - `max_offset` (default 1000): rows that may be skipped.

    ## Limits
    An OFFSET that is a parameter is only judged where tests send a large one.
    """

    code: ClassVar[str] = "DBG403"
    name: ClassVar[str] = "deep-offset"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE
    kind: ClassVar[MarkKind] = MarkKind.OFFSET
    options_model: ClassVar[type[RuleOptions]] = DeepOffsetOptions
    _options: DeepOffsetOptions

    def draft(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        """Return the finding about an OFFSET that is known to be large."""
        most = self._options.max_offset
        if mark.number is None or mark.number <= most:
            return None
        columns = _keys(mark, table_of(assessment, mark))
        by = f" by `{', '.join(columns)}`" if columns else ""
        title = f"go on after the last row that was seen{by}, rather than after a number of rows"
        sqlalchemy, sql = _as_sqlalchemy(mark, columns), _as_sql(mark, columns)
        return self.finding(
            mark,
            f"OFFSET reads more than {count(most)} rows of `{mark.table}` only to drop them, and more with each page",
            fix=fix_for(statement, title, sqlalchemy=sqlalchemy, sql=sql),
            remedies=both(sqlalchemy, sql),
        )


def _keys(mark: LintMark, table: Table | None) -> tuple[str, ...]:
    """Return what the place in the order is told by: the sort keys, and the primary key where they may be equal."""
    if table is None or any(set(unique) <= set(mark.columns) for unique in table.uniques()):
        return mark.columns
    return tuple(dict.fromkeys((*mark.columns, *table.primary_key))) if mark.columns else ()


def _as_sqlalchemy(mark: LintMark, columns: tuple[str, ...]) -> str:
    if not columns or mark.detail == "mixed" or not all(name.isidentifier() for name in (mark.table, *columns)):
        return ""
    names = [f"{mark.table}.c.{column}" for column in columns]
    sign = "<" if mark.detail == "desc" else ">"
    values = ", ".join(f"last.{column}" for column in columns)
    keys = f"tuple_({', '.join(names)}) {sign} ({values})" if len(names) > 1 else f"{names[0]} {sign} {values}"
    order = ", ".join(f"{name}.desc()" if mark.detail == "desc" else name for name in names)
    return f".where({keys})\n.order_by({order})"


def _as_sql(mark: LintMark, columns: tuple[str, ...]) -> str:
    if not columns or mark.detail == "mixed":
        return ""
    names, values = [quoted(column) for column in columns], ", ".join(f":{column}" for column in columns)
    sign = "<" if mark.detail == "desc" else ">"
    keys = f"({', '.join(names)}) {sign} ({values})" if len(names) > 1 else f"{names[0]} {sign} {values}"
    return f"WHERE {keys}\nORDER BY {', '.join(f'{name} DESC' if mark.detail == 'desc' else name for name in names)}"
