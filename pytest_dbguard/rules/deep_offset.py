"""DBG403: OFFSET skips many rows, each of which the database reads first."""

from __future__ import annotations

import re
from typing import ClassVar

from pydantic import PositiveInt

from pytest_dbguard.core.findings import Certainty, Finding, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.rules.base import RuleOptions, Stage
from pytest_dbguard.rules.index_findings import count
from pytest_dbguard.rules.lint_findings import LintRule, both, fix_for, table_of
from pytest_dbguard.schema.catalog import Table
from pytest_dbguard.schema.quoting import quoted
from pytest_dbguard.sql.lint.model import LintMark, MarkKind

_NUMBER = re.compile(r"\bOFFSET\s+\(*\d|\bLIMIT\s+\d+\s*,", re.IGNORECASE)
_UNKNOWN_KEY = "id"
_WHAT_IT_IS = f"{_UNKNOWN_KEY}: the primary key, or another unique column"
"""What stands for a unique column of a table that nobody knows, and the comment that says so."""


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
    - `severity` (default "warning"): a note where the number is not in the text, but sent by tests.
    - `max_offset` (default 1000): rows that may be skipped.

    ## Limits
    An OFFSET that is a parameter is only judged where tests send a large one, which may be but a page that is not
    there. Keys that several rows share lose rows at the edges of pages, so the last key has to be unique; the primary
    key is added where the schema is known.
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
        table = table_of(assessment, mark)
        columns = _keys(mark, table)
        is_sure = not columns or _is_unique(columns, table)
        keys = columns if is_sure else (*columns, _UNKNOWN_KEY)
        sqlalchemy, sql = _as_sqlalchemy(mark, keys), _as_sql(mark, keys)
        if not is_sure:
            sqlalchemy = f"# {_WHAT_IT_IS}\n{sqlalchemy}" if sqlalchemy else ""
            sql = f"-- {_WHAT_IT_IS}\n{sql}" if sql else ""
        # a test that asks for a page behind the last one sends a large number too, and no row is skipped there
        is_written = _is_written(statement)
        return self.finding(
            mark,
            f"OFFSET reads more than {count(most)} rows of `{mark.table}` only to drop them, and more with each page",
            severity=None if is_written else Severity.NOTE,
            certainty=Certainty.CERTAIN if is_written else Certainty.LIKELY,
            fix=fix_for(statement, _title(columns, table, is_sure=is_sure), sqlalchemy=sqlalchemy, sql=sql),
            remedies=both(sqlalchemy, sql),
        )


def _is_written(statement: AssessedStatement) -> bool:
    """Whether the text holds the number itself, rather than a parameter for which tests sent it."""
    exemplar = statement.statement.exemplar
    return exemplar is not None and _NUMBER.search(exemplar.text) is not None


def _keys(mark: LintMark, table: Table | None) -> tuple[str, ...]:
    """Return what the place in the order is told by: the sort keys, and the primary key where they may be equal."""
    if not mark.columns or table is None or _is_unique(mark.columns, table):
        return mark.columns
    return tuple(dict.fromkeys((*mark.columns, *table.primary_key)))


def _is_unique(columns: tuple[str, ...], table: Table | None) -> bool:
    """Whether no two rows are known to share these columns; of a table that nobody knows, `id` is its key."""
    if table is None:
        return _UNKNOWN_KEY in columns
    nullable = _nullable(columns, table)
    return any(set(unique) <= set(columns) and nullable.isdisjoint(unique) for unique in table.uniques())


def _nullable(columns: tuple[str, ...], table: Table | None) -> frozenset[str]:
    """Return which of the columns are known to hold NULL, which no comparison finds again."""
    found = (table.column(name) for name in columns if name not in table.primary_key) if table is not None else ()
    return frozenset(column.name for column in found if column is not None and column.nullable)


def _title(columns: tuple[str, ...], table: Table | None, *, is_sure: bool) -> str:
    by = f" by `{', '.join(columns)}`" if columns else ""
    last = "" if is_sure else " and a unique column such as the primary key"
    nullable = ", ".join(f"`{name}`" for name in columns if name in _nullable(columns, table))
    nulls = f" (rows without {nullable} need a page of their own)" if nullable else ""
    return f"go on after the last row that was seen{by}{last}, rather than after a number of rows{nulls}"


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
