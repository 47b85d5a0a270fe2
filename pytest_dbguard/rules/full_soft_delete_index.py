"""DBG803: an index holds deleted rows, though every statement that could use it leaves them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar, Final

from pydantic import Field

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.planning.candidates.spelling import ddl, name_of
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.statistics.model import Origin
from pytest_dbguard.rules.base import RuleOptions, Stage
from pytest_dbguard.rules.index_findings import IndexRule, drop_remedies, fix_of, remedies
from pytest_dbguard.rules.schema_findings import application_tables, is_live_condition, is_soft_delete_column
from pytest_dbguard.schema.catalog import Index, Table
from pytest_dbguard.schema.quoting import quoted
from pytest_dbguard.sql.facts.model import Scan, TermKind

_FEW_DELETED: Final = 0.9
"""Share of live rows from which an index without the others is hardly smaller."""


class FullSoftDeleteIndexOptions(RuleOptions):
    """Options of full-soft-delete-index."""

    min_statements: Annotated[int, Field(strict=True, ge=1)] = 2


class FullSoftDeleteIndex(IndexRule):
    """full-soft-delete-index (DBG803).

    ## What it does
    Finds indexes of tables with a column such as `deleted_at` that hold all rows, though every statement of the run
    that could use them asks for rows that are not deleted.

    ## Why is this bad?
    Deleted rows stay in the index for ever: it grows with the history instead of with what is there, and each search
    meets rows that the table then drops. A partial index holds the live rows only.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Visit(Base):
        __tablename__ = "visit"
        id: Mapped[int] = mapped_column(primary_key=True)
        page: Mapped[str] = mapped_column(index=True)
        deleted_at: Mapped[int | None]

    Base.metadata.create_all(engine)
    query = select(Visit.id).where(Visit.page == "x", Visit.deleted_at.is_(None))
    session.execute(query).all()
    session.execute(query.where(Visit.id > 3)).all()
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Visit(Base):
        __tablename__ = "visit"
        id: Mapped[int] = mapped_column(primary_key=True)
        page: Mapped[str]
        deleted_at: Mapped[int | None]
        live = text("deleted_at IS NULL")
        __table_args__ = (Index("ix_visit_page_partial", "page", postgresql_where=live, sqlite_where=live),)

    Base.metadata.create_all(engine)
    query = select(Visit.id).where(Visit.page == "x", Visit.deleted_at.is_(None))
    session.execute(query).all()
    session.execute(query.where(Visit.id > 3)).all()
    ```

    ## Options
    - `severity` (default "note").
    - `min_statements` (default 2): so many different statements must show that they leave deleted rows out.

    ## Limits
    It knows what the tests of this run do. Silent for indexes that forbid equal keys, that hold the column already, or
    that begin with a foreign key, which the database itself searches without the condition; and where statistics of
    production say that hardly any row is deleted.
    """

    code: ClassVar[str] = "DBG803"
    name: ClassVar[str] = "full-soft-delete-index"
    severity: ClassVar[Severity] = Severity.NOTE
    stage: ClassVar[Stage] = Stage.PREVIEW
    options_model: ClassVar[type[RuleOptions]] = FullSoftDeleteIndexOptions
    needs_whole_run: ClassVar[bool] = True

    def __init__(self, options: RuleOptions) -> None:
        super().__init__(options)
        known = options if isinstance(options, FullSoftDeleteIndexOptions) else FullSoftDeleteIndexOptions()
        self._min_statements = known.min_statements

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each index; none where statements were left out, since they might need it whole."""
        if assessment.not_analysed:
            return
        for table in application_tables(assessment.catalog):
            for index in _full_indexes(table, assessment):
                conditions = list(_conditions(assessment.statements, table, index))
                if len(conditions) >= self._min_statements and len(set(conditions)) == 1 and conditions[0]:
                    yield self._finding(assessment, table, index, conditions)

    def _finding(self, assessment: Assessment, table: Table, index: Index, conditions: list[str]) -> Finding:
        condition, dialect = conditions[0], assessment.catalog.dialect
        columns = tuple(column or "" for column in index.columns)
        keys = tuple(f"{quoted(key.column or '')}{' DESC' if key.descending else ''}" for key in index.keys)
        spec = IndexSpec(table.schema, table.name, keys, columns, predicate=condition, include=index.include)
        drop = {remedy.kind: remedy.code for remedy in drop_remedies(table, index, dialect)}
        made = (
            type(each)(each.kind, f"{each.code}\n{drop[each.kind]}" if each.kind in drop else each.code)
            for each in remedies((spec,), dialect)
        )
        return Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=index.name,
            message=(
                f"the index `{index.name}` of `{table.label}` holds deleted rows, and all {len(conditions)} statements "
                f"that could use it ask for `{condition}`"
            ),
            fix=fix_of((spec,)),
            evidence=(f"`{name_of(spec)}` holds the live rows only: {ddl(spec, dialect)}",),
            remedies=tuple(made),
        )


def _full_indexes(table: Table, assessment: Assessment) -> Iterator[Index]:
    marks = {column.name for column in table.columns if is_soft_delete_column(column.name)}
    if not marks or _hardly_deletes(table, marks, assessment):
        return
    keys = {key.columns[0] for key in table.foreign_keys if key.columns}
    for index in table.indexes:
        is_plain = index.method == "btree" and not index.predicate and None not in index.columns and index.is_valid
        is_bound = index.is_unique or index.is_primary or index.is_constraint or index.columns[0] in keys
        if is_plain and not is_bound and marks.isdisjoint((*index.columns, *index.include)):
            yield index


def _hardly_deletes(table: Table, marks: set[str], assessment: Assessment) -> bool:
    """Whether production's statistics say that nearly all rows are live."""
    known = assessment.statistics.table(table.name, table.schema)
    if known is None or known.origin is not Origin.PRODUCTION:
        return False
    return any(column.name in marks and column.null_fraction >= _FEW_DELETED for column in known.columns)


def _conditions(statements: Iterable[AssessedStatement], table: Table, index: Index) -> Iterator[str]:
    """Yield, for each scan that could use an index, how it leaves deleted rows out; "" where it does not."""
    for statement in statements:
        for scan in statement.facts.scans:
            if scan.table == table.name and scan.schema in ("", table.schema) and _could_use(scan, index):
                yield next((term.condition for term in scan.terms if is_live_condition(term)), "")


def _could_use(scan: Scan, index: Index) -> bool:
    first = index.columns[0]
    kinds = (TermKind.EQUAL, TermKind.LIST, TermKind.JOIN, TermKind.RANGE, TermKind.PREFIX, TermKind.NULL)
    is_searched = any(term.column == first and term.kind in kinds and term.is_sargable for term in scan.terms)
    branches = (term for alternative in scan.alternatives for branch in alternative.branches for term in branch)
    is_sorted = bool(scan.order) and scan.order[0].column == first
    return is_searched or is_sorted or first in scan.groups or any(term.column == first for term in branches)
