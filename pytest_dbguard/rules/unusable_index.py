"""DBG203: a condition is written so that no index on its column serves it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.planning.assessment import Assessment, Basis, Obstacle, Unusable, Verdict
from pytest_dbguard.planning.plan_text import without_literals
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.index_findings import (
    IndexRule,
    at_each_place,
    basis_text,
    fix_of,
    node_of,
    plan_of,
    reads_text,
    remedies,
    verdict_lines,
    write_lines,
)
from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.sql.facts.model import Scan, TermKind


class UnusableIndex(IndexRule):
    """unusable-index (DBG203).

    ## What it does
    Finds conditions that keep the index on their column from serving, or would if there were one: a function, a cast
    or arithmetic around the column, a value of another type, another collation, a pattern that begins with a wildcard
    or ignores case, a prefix pattern where the index sorts by language. Confirmed by a planner as missing-index is.

    ## Why is this bad?
    The index is there, the query looks right, and the database still reads the whole table: an index on `email` knows
    nothing of `lower(email)`.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(index=True)

    Base.metadata.create_all(engine)
    session.scalars(select(Person).where(func.lower(Person.email) == "ann@example.org")).all()
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str]
        __table_args__ = (Index("ix_person_lower_email", text("lower(email)")),)

    Base.metadata.create_all(engine)
    session.scalars(select(Person).where(func.lower(Person.email) == "ann@example.org")).all()
    ```

    ## Options
    - `severity` (default "error"): what production's statistics do not prove is a warning.

    ## Limits
    Silent where another condition on the same table is served by an index, and where the table is small.
    """

    code: ClassVar[str] = "DBG203"
    name: ClassVar[str] = "unusable-index"
    severity: ClassVar[Severity] = Severity.ERROR
    stage: ClassVar[Stage] = Stage.STABLE

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each condition and place."""
        for statement in assessment.statements:
            for unusable, verdict in statement.unusable:
                # columns of different types that are joined are another rule's
                is_join = unusable.obstacle is Obstacle.TYPE and unusable.term.kind is TermKind.JOIN
                if verdict.helps and not is_join:
                    scan = statement.facts.scan(unusable.alias, unusable.query)
                    yield from at_each_place(self._draft(assessment, unusable, verdict, scan), statement)

    def _draft(self, assessment: Assessment, unusable: Unusable, verdict: Verdict, scan: Scan | None) -> Finding:
        is_proven = verdict.basis is Basis.PROVEN and not verdict.is_assumed
        return unusable_finding(
            self,
            assessment,
            (unusable, verdict),
            scan,
            message=f"{_why(unusable)}: {reads_text(verdict, scan)}",
            severity=Severity.ERROR if is_proven else Severity.WARNING,
        )


def unusable_finding(
    rule: IndexRule,
    assessment: Assessment,
    judged: tuple[Unusable, Verdict],
    scan: Scan | None,
    *,
    message: str,
    severity: Severity,
) -> Finding:
    """Return the finding about a term that no index serves, without its place."""
    unusable, verdict = judged
    spec, name, schema = unusable.spec, scan.table if scan else unusable.table, scan.schema if scan else ""
    return Finding(
        rule=rule.code,
        name=rule.name,
        severity=severity,
        subject=f"{unusable.table}.{unusable.term.column}",
        message=message,
        fix=_fix(unusable, assessment.catalog.dialect),
        evidence=(*verdict_lines(verdict), *(write_lines(assessment, spec) if spec is not None else ())),
        basis=basis_text(assessment, verdict, name, schema),
        plan=plan_of(verdict.plan_before, node_of(verdict.plan_before, scan)),
        remedies=remedies((spec,), assessment.catalog.dialect) if spec is not None else (),
    )


def _fix(unusable: Unusable, dialect: Dialect) -> Fix:
    """Return the change: how to write it, the index that serves it as it is written, or both to choose from."""
    ways = [_writing(unusable, dialect)] if unusable.rewrite or unusable.spec is None else []
    if unusable.spec is None:
        return Fix(ways[0])
    made = fix_of((unusable.spec,))
    if unusable.obstacle is Obstacle.PREDICATE:
        return Fix(f"{made.title}, or write the condition of `{unusable.index}` if it was forgotten", made.code)
    return Fix(", or ".join([*ways, made.title]), made.code)


def _writing(unusable: Unusable, dialect: Dialect) -> str:
    column, rewrite = f"`{unusable.term.column}`", unusable.rewrite
    match unusable.obstacle:
        case Obstacle.FUNCTION | Obstacle.CAST if rewrite:
            return f"write it as `{rewrite}`" + ("" if unusable.index else f" and add an index on {column}")
        case Obstacle.PREDICATE:
            return f"write the condition of `{unusable.index}` as well"
        case Obstacle.INVALID if rewrite:
            return f"run `{rewrite}`"
        case Obstacle.TYPE if unusable.term.kind is TermKind.JOIN:
            return "give both columns the same type"
        case Obstacle.TYPE:
            return f"compare {column} with a value of its own type"
        case Obstacle.COLLATION:
            return f"compare {column} by its own collation"
        case Obstacle.LEADING_WILDCARD | Obstacle.CASE_INSENSITIVE if dialect is Dialect.POSTGRESQL:
            return "use full-text search, or a GIN index with `gin_trgm_ops` of the extension pg_trgm"
        case Obstacle.LEADING_WILDCARD:
            return "use a full-text table (FTS5)"
        case Obstacle.CASE_INSENSITIVE:
            made = f"an index on {column} with COLLATE NOCASE"
            return f"write it as `{unusable.term.column} LIKE :pattern`, the whole pattern one value, and add {made}"
        case _:
            return f"write {column} alone on its side of the comparison"


def _why(unusable: Unusable) -> str:
    """Return in one clause why no index serves the term."""
    column, written = f"`{unusable.table}.{unusable.term.column}`", f"`{without_literals(unusable.term.expression)}`"
    # SQLite numbers the indexes of constraints
    is_named = not unusable.index.startswith("sqlite_autoindex_")
    index = f"the index `{unusable.index}`" if is_named else f"the unique index on {column}"
    has_index = bool(unusable.index)
    match unusable.obstacle:
        case Obstacle.FUNCTION | Obstacle.CAST | Obstacle.ARITHMETIC:
            return (
                f"{index} cannot serve {written}" if has_index else f"no index of `{unusable.table}` serves {written}"
            )
        case Obstacle.TYPE:
            return f"{index if has_index else 'an index'} cannot serve {column} compared with another type"
        case Obstacle.COLLATION:
            return f"{index if has_index else 'an index'} on {column} sorts by another collation than the condition"
        case Obstacle.LEADING_WILDCARD:
            return f"a pattern that begins with a wildcard cannot use an index on {column}"
        case Obstacle.CASE_INSENSITIVE:
            # SQLite computes `? || '%'` for each row
            ignores = unusable.term.is_case_insensitive or bool(unusable.term.wrapping)
            why = "ignores case" if ignores else "is put together in the statement"
            return f"a pattern that {why} cannot use an index on {column}"
        case Obstacle.PATTERN_CLASS:
            return f"{index if has_index else 'an index'} on {column} sorts by language and cannot serve LIKE"
        case Obstacle.PREDICATE:
            return f"{index} is partial, and the statement does not imply its condition"
        case Obstacle.INVALID:
            return f"{index} is invalid since it was not made to the end"
