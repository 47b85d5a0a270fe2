"""DBG202: a foreign key without an index: whoever deletes what it refers to reads the whole table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment, Purpose, UnindexedKey
from pytest_dbguard.planning.candidates.spelling import subject
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.index_findings import (
    IndexRule,
    at_each_place,
    basis_text,
    count,
    fix_of,
    needs,
    remedies,
    used_tables,
    verdict_lines,
    write_lines,
)
from pytest_dbguard.schema.catalog import Dialect


class UnindexedForeignKey(IndexRule):
    """unindexed-foreign-key (DBG202).

    ## What it does
    Finds foreign keys whose columns no index begins with: a note for each of the tables that the run uses, and a
    warning at each place that deletes a row which the key refers to, or changes its key.

    ## Why is this bad?
    Before a row may go, the database looks for the rows that refer to it, whatever ON DELETE says. Without an index it
    reads the whole table for it, once for each deleted row, and the statement shows nothing of it in EXPLAIN.

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
        author_id: Mapped[int] = mapped_column(ForeignKey("author.id", ondelete="CASCADE"))

    Base.metadata.create_all(engine)
    session.get(Author, 3)
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
        author_id: Mapped[int] = mapped_column(ForeignKey("author.id", ondelete="CASCADE"), index=True)

    Base.metadata.create_all(engine)
    session.get(Author, 3)
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Silent where missing-index or unindexed-join reports the same columns. SQLite looks for referring rows only where
    `PRAGMA foreign_keys` is on, so there it stays a note.
    """

    code: ClassVar[str] = "DBG202"
    name: ClassVar[str] = "unindexed-foreign-key"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each key, at each place that deletes what it refers to; else a note without a place."""
        told, used = set(_told(assessment)), used_tables(assessment)
        for each in assessment.keys:
            is_told = (each.table.label, frozenset(each.key.columns)) in told
            if is_told or not each.verdict.helps or used.isdisjoint((each.table.name, each.key.referred_table)):
                continue
            draft = self._draft(assessment, each)
            places = [f for s in assessment.statements if _removes(s, each) for f in at_each_place(draft, s)]
            yield from places or [replace(draft, severity=Severity.NOTE)]

    def _draft(self, assessment: Assessment, each: UnindexedKey) -> Finding:
        verdict, dialect = each.verdict, assessment.catalog.dialect
        rows = "the whole table" if verdict.rows is None else f"all {count(verdict.rows)} rows"
        is_checked = dialect is Dialect.POSTGRESQL
        where = "" if is_checked else " where foreign keys are enforced"
        referred = each.key.referred_table
        return Finding(
            rule=self.code,
            name=self.name,
            severity=Severity.WARNING if is_checked else Severity.NOTE,
            subject=subject(each.spec),
            message=f"no index serves `{subject(each.spec)}`: each row deleted from `{referred}` reads {rows}{where}",
            fix=fix_of((each.spec,)),
            evidence=(*verdict_lines(verdict), *write_lines(assessment, each.spec)),
            basis=basis_text(assessment, verdict, each.spec.table, each.spec.schema),
            remedies=remedies((each.spec,), dialect),
        )


def _told(assessment: Assessment) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the tables and columns by which an index begins that other rules ask for."""
    for need in needs(assessment, (Purpose.FILTER, Purpose.JOIN)):
        for spec in need.specs:
            table = assessment.catalog.table(spec.table, spec.schema)
            columns = [column for column in spec.columns if column is not None]
            for size in range(1, len(columns) + 1):
                yield (table.label if table is not None else spec.table, frozenset(columns[:size]))


def _removes(statement: AssessedStatement, key: UnindexedKey) -> bool:
    """Whether a statement deletes rows that the key refers to, or changes what it refers to."""
    return any(
        written.table == key.key.referred_table
        and written.schema in ("", key.key.referred_schema)
        and (written.verb == "DELETE" or (written.verb == "UPDATE" and written.columns & set(key.key.referred_columns)))
        for written in statement.facts.written
    )
