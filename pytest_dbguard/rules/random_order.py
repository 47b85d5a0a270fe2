"""DBG407: all rows of a table are sorted by chance, to return some of them."""

from __future__ import annotations

import math
from typing import ClassVar

from pydantic import PositiveInt

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.rules.base import RuleOptions, Stage
from pytest_dbguard.rules.lint_findings import LintRule, fix_for, is_single, rows_of, scan_of, statistics_of, table_of
from pytest_dbguard.schema.catalog import Dialect, Table
from pytest_dbguard.schema.quoting import quoted
from pytest_dbguard.sql.lint.model import LintMark, MarkKind

FEW_VALUES = 10
"""Of a column with at most so many values one may be that of most rows: a state, a kind."""


class RandomOrderOptions(RuleOptions):
    """From which size on it matters."""

    min_rows: PositiveInt = 10_000


class RandomOrder(LintRule):
    """random-order (DBG407).

    ## What it does
    Finds `ORDER BY random()` over a table of which no condition leaves few rows.

    ## Why is this bad?
    The database reads the whole table, calls the function for each row and sorts them all, also where one row is all
    that is asked for. No index helps.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Quote(Base):
        __tablename__ = "quote"
        id: Mapped[int] = mapped_column(primary_key=True)
        words: Mapped[str]

    Base.metadata.create_all(engine)
    session.scalars(select(Quote).order_by(func.random()).limit(1)).all()
    ```

    ## Use instead
    ```python
    import random

    class Base(DeclarativeBase):
        pass

    class Quote(Base):
        __tablename__ = "quote"
        id: Mapped[int] = mapped_column(primary_key=True)
        words: Mapped[str]

    Base.metadata.create_all(engine)
    last = session.scalar(select(func.max(Quote.id))) or 1
    session.scalars(select(Quote).where(Quote.id >= random.randint(1, last)).order_by(Quote.id).limit(1)).all()
    ```

    ## Options
    - `severity` (default "warning").
    - `min_rows` (default 10000): tables with fewer rows are small enough to be sorted.

    ## Limits
    Silent where values that are compared leave few rows, or nobody knows how many. Also over queries with a LIMIT,
    samples, and rows that the statement itself makes.
    """

    code: ClassVar[str] = "DBG407"
    name: ClassVar[str] = "random-order"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE
    kind: ClassVar[MarkKind] = MarkKind.RANDOM_ORDER
    options_model: ClassVar[type[RuleOptions]] = RandomOrderOptions
    _options: RandomOrderOptions

    def draft(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        """Return the finding about a table that is not small."""
        rows, scan = _rows_left(assessment, mark), scan_of(statement, mark)
        if scan is None or rows < self._options.min_rows or is_single(assessment, scan):
            return None
        what = "to return some of them" if mark.detail else "and no index can help"
        dialect, key = assessment.catalog.dialect, _key(table_of(assessment, mark))
        return self.finding(
            mark,
            f"`ORDER BY {mark.expression}` reads and sorts all rows of `{mark.table}`, {what}",
            fix=fix_for(
                statement,
                "go on from a random key: rows behind gaps come more often, but only those that are returned are read",
                sqlalchemy=_as_sqlalchemy(dialect, mark.table, key),
                sql=_as_sql(dialect, mark.table, key),
            ),
        )


def _key(table: Table | None) -> str:
    """Return the primary key, where it is one number; "" else."""
    name = table.primary_key[0] if table is not None and len(table.primary_key) == 1 else ""
    column = table.column(name) if table is not None else None
    return name if column is not None and "int" in column.type.lower() else ""


def _rows_left(assessment: Assessment, mark: LintMark) -> float:
    """Return how many rows are sorted: of those that values are compared with, as far as statistics tell."""
    rows = rows_of(assessment, mark)
    if rows is None:
        return 0 if mark.columns else math.inf
    known = statistics_of(assessment, mark.table, mark.schema)
    columns = [known.column(name) if known is not None else None for name in mark.columns]
    # what is not known may be a key
    distinct = [column.distinct(rows) or rows if column is not None else rows for column in columns]
    return rows / math.prod(number for number in distinct if number > FEW_VALUES)


def _as_sqlalchemy(dialect: Dialect, table: str, key: str) -> str:
    if not key or not table.isidentifier() or not key.isidentifier():
        return ""
    name = f"{table}.c.{key}"
    is_postgres = dialect is Dialect.POSTGRESQL
    chance = f"func.random() * func.max({name})" if is_postgres else f"func.abs(func.random()) % func.max({name}) + 1"
    return f".where({name} >= select({chance}).scalar_subquery())\n.order_by({name})"


def _as_sql(dialect: Dialect, table: str, key: str) -> str:
    if not key:
        return ""
    name, source = quoted(key), quoted(table)
    is_postgres = dialect is Dialect.POSTGRESQL
    chance = f"random() * max({name})" if is_postgres else f"abs(random()) % max({name}) + 1"
    return f"WHERE {name} >= (SELECT {chance} FROM {source})\nORDER BY {name}"
