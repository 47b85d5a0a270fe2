"""DBG304: columns of different types are joined, so that no index serves the join."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment, Obstacle, Unusable
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.index_findings import IndexRule, at_each_place, reads_text
from pytest_dbguard.rules.unusable_index import unusable_finding
from pytest_dbguard.sql.facts.model import TermKind


class MismatchedJoinTypes(IndexRule):
    """mismatched-join-types (DBG304).

    ## What it does
    Finds joins of columns whose types or collations differ so that the index on one of them cannot serve the join.

    ## Why is this bad?
    The database converts each row's value before it compares it, and an index does not hold converted values: the
    whole table is read, index or not.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        number: Mapped[str] = mapped_column(index=True)

    class Visit(Base):
        __tablename__ = "visit"
        id: Mapped[int] = mapped_column(primary_key=True)
        person_number: Mapped[int]

    Base.metadata.create_all(engine)
    query = select(Visit.id).join(Person, Person.number == Visit.person_number).where(Visit.id == 3)
    session.execute(query).all()
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        number: Mapped[int] = mapped_column(index=True)

    class Visit(Base):
        __tablename__ = "visit"
        id: Mapped[int] = mapped_column(primary_key=True)
        person_number: Mapped[int]

    Base.metadata.create_all(engine)
    query = select(Visit.id).join(Person, Person.number == Visit.person_number).where(Visit.id == 3)
    session.execute(query).all()
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Columns of one type and different collations are not told: SQLite compares them by that of the left one, and an
    index by the other collation does not serve.
    """

    code: ClassVar[str] = "DBG304"
    name: ClassVar[str] = "mismatched-join-types"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each pair of columns and place."""
        for statement in assessment.statements:
            for unusable, verdict in statement.unusable:
                is_join = unusable.obstacle is Obstacle.TYPE and unusable.term.kind is TermKind.JOIN
                if not (verdict.helps and is_join):
                    continue
                scan = statement.facts.scan(unusable.alias, unusable.query)
                message = f"{_mismatch(assessment, statement, unusable)}: {reads_text(verdict, scan)}"
                judged = (unusable, verdict)
                draft = unusable_finding(self, assessment, judged, scan, message=message, severity=self.severity)
                yield from at_each_place(draft, statement)


def _mismatch(assessment: Assessment, statement: AssessedStatement, unusable: Unusable) -> str:
    """Return both columns, with their types where they are known."""
    first = f"`{unusable.table}.{unusable.term.column}`"
    other = unusable.term.other
    if other is None:
        return f"{first} is joined with another type"
    sides = [
        _side(assessment, statement, alias, name) for alias, name in ((unusable.alias, unusable.term.column), other)
    ]
    return f"{sides[0]} is joined with {sides[1]}"


def _side(assessment: Assessment, statement: AssessedStatement, alias: str, name: str) -> str:
    scan = statement.facts.scan(alias)
    table = assessment.catalog.table(scan.table, scan.schema) if scan is not None else None
    column = table.column(name) if table is not None else None
    if table is None or column is None:
        return f"`{name}`"
    return f"`{table.label}.{name}` ({column.type})" if column.type else f"`{table.label}.{name}`"
