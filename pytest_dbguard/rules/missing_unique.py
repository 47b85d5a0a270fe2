"""DBG804: the code counts on one row at most, and nothing in the schema sees to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import ClassVar, Final

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.planning.candidates.column_types import Family, family_of
from pytest_dbguard.planning.candidates.expressions import columns_in
from pytest_dbguard.planning.candidates.spelling import sqlalchemy_code, subject
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.workload import Use
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.index_findings import IndexRule, at_each_place, remedies
from pytest_dbguard.rules.schema_findings import is_flag_condition
from pytest_dbguard.schema.catalog import Catalog, Index, RelationKind, Table
from pytest_dbguard.schema.quoting import quoted
from pytest_dbguard.sql.facts.model import Scan, TermKind

_EXPECTS_ONE: Final = ("one_or_none", "scalar_one_or_none", "one", "scalar_one")
_LIMITS: Final = frozenset({"limit", "first", "fetch", "slice"})


class MissingUnique(IndexRule):
    """missing-unique (DBG804).

    ## What it does
    Finds lookups in one table whose result is taken by `one_or_none()`, `scalar_one_or_none()`, `one()` or
    `scalar_one()`, though no unique key covers the columns that they compare.

    ## Why is this bad?
    Two requests at once add the row twice, since nothing forbids it. From then on each lookup raises
    `MultipleResultsFound`. A unique constraint makes the second one fail, and gives the lookup its index.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(index=True)

    Base.metadata.create_all(engine)
    session.scalars(select(Person).where(Person.email == "a@example.org")).one_or_none()
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(unique=True)

    Base.metadata.create_all(engine)
    session.scalars(select(Person).where(Person.email == "a@example.org")).one_or_none()
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Only lookups that compare columns of one table by `=` are judged; a `deleted_at IS NULL` or `is_current` beside
    them asks for a partial unique index. Silent for aggregates, LIMIT, and where the source cannot be read.
    """

    code: ClassVar[str] = "DBG804"
    name: ClassVar[str] = "missing-unique"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each statement and place that counts on one row."""
        for statement in assessment.statements:
            uses = tuple(use for use in statement.statement.uses if _expects_one(use))
            lookup = _lookup(statement, assessment.catalog) if uses else None
            if lookup is None or _yields_one_row(statement):
                continue
            table, spec = lookup
            method = next(each for use in uses if use.call for each in use.call.methods if each in _EXPECTS_ONE)
            draft = self._finding(assessment, table, spec, method)
            yield from at_each_place(draft, replace(statement, statement=replace(statement.statement, uses=uses)))

    def _finding(self, assessment: Assessment, table: Table, spec: IndexSpec, method: str) -> Finding:
        columns = [column for column in spec.columns if column is not None]
        live = f" among rows of which `{spec.predicate}` holds" if spec.predicate else ""
        names = ", ".join(f'"{column}"' for column in columns)
        code = sqlalchemy_code(spec, spec.name) if spec.predicate else f'UniqueConstraint({names}, name="{spec.name}")'
        return Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=subject(spec),
            message=f"`{method}()` counts on one row, but nothing makes `{subject(spec)}` unique{live}",
            fix=Fix(f"add this to `__table_args__` of `{table.name}`", code),
            evidence=("a second row makes it raise MultipleResultsFound",),
            remedies=remedies((spec,), assessment.catalog.dialect),
        )


def _expects_one(use: Use) -> bool:
    if use.call is None or use.in_test_code:
        return False
    return any(each in _EXPECTS_ONE for each in use.call.methods) and _LIMITS.isdisjoint(use.call.methods)


def _lookup(statement: AssessedStatement, catalog: Catalog) -> tuple[Table, IndexSpec] | None:
    """Return the table of a lookup and the unique index that it lacks; None where it lacks none, or is no lookup."""
    scans = statement.facts.scans
    if len(scans) != 1 or statement.facts.verb != "SELECT":
        return None
    scan = scans[0]
    table = catalog.table(scan.table, scan.schema)
    is_plain = not (scan.query or scan.alternatives or scan.groups or scan.has_limit or scan.limit_ordinal is not None)
    if table is None or table.kind is not RelationKind.TABLE or not is_plain:
        return None
    keys, live = _keys(scan, table, catalog)
    if not keys or live is None or _is_unique(table, keys, scan, catalog):
        return None
    name = "_".join(("uq", table.name, *keys))[:63]
    spec = IndexSpec(table.schema, table.name, tuple(map(quoted, keys)), keys, live, is_unique=True, name=name)
    return table, spec


def _keys(scan: Scan, table: Table, catalog: Catalog) -> tuple[tuple[str, ...], str | None]:
    """Return the columns that are compared by `=`, and the condition beside them; None for it where others stand."""
    keys: list[str] = []
    conditions: list[str] = []
    for term in scan.terms:
        column = table.column(term.column)
        if column is None or not term.is_sargable or term.is_negated:
            return (), None
        is_flag = family_of(column, catalog.dialect) is Family.BOOLEAN or is_flag_condition(term)
        if term.kind is TermKind.NULL or (is_flag and term.condition):
            conditions.append(term.condition)
        elif term.kind is TermKind.EQUAL and not is_flag and term.operand in ("parameter", "literal"):
            keys.append(column.name)
        else:
            return (), None
    return tuple(dict.fromkeys(keys)), " AND ".join(dict.fromkeys(conditions))


def _is_unique(table: Table, keys: tuple[str, ...], scan: Scan, catalog: Catalog) -> bool:
    """Whether a unique key sees to it that one row at most is found."""
    named = {term.column for term in scan.terms}
    if table.primary_key and set(table.primary_key) <= set(keys):
        return True
    return any(
        set(_columns(index, catalog)) <= set(keys) | (named if index.predicate else set())
        and columns_in(index.predicate, catalog.dialect) <= {name.lower() for name in named} | named
        for index in table.indexes
        if index.is_unique
    )


def _columns(index: Index, catalog: Catalog) -> Iterator[str]:
    """Yield the columns of an index, those of its expressions too."""
    for key in index.keys:
        if key.column is not None:
            yield key.column
        else:
            yield from columns_in(key.expression, catalog.dialect)


def _yields_one_row(statement: AssessedStatement) -> bool:
    """Whether the statement gives one row whatever the table holds: an aggregate."""
    from pytest_dbguard.sql.parse import parse, yields_one_row

    tree = parse(statement.statement.shape.text)
    return tree is None or yields_one_row(tree)
