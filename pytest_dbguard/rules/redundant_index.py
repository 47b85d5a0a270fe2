"""DBG205: an index that another one makes superfluous."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, Severity
from pytest_dbguard.planning.assessment import Assessment
from pytest_dbguard.planning.candidates.redundant import redundant
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.index_findings import IndexRule, drop_remedies, used_tables
from pytest_dbguard.schema.catalog import Index


class RedundantIndex(IndexRule):
    """redundant-index (DBG205).

    ## What it does
    Finds indexes that can go without loss: another one of the same table has the same keys, or begins with them, and
    holds the same rows.

    ## Why is this bad?
    Each write of a row writes an entry into each index, and each index takes its share of the memory that would keep
    the table.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Visit(Base):
        __tablename__ = "visit"
        id: Mapped[int] = mapped_column(primary_key=True)
        person_id: Mapped[int] = mapped_column(index=True)
        at: Mapped[int]
        __table_args__ = (Index("ix_visit_person_id_at", "person_id", "at"),)

    Base.metadata.create_all(engine)
    session.get(Visit, 3)
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Visit(Base):
        __tablename__ = "visit"
        id: Mapped[int] = mapped_column(primary_key=True)
        person_id: Mapped[int]
        at: Mapped[int]
        __table_args__ = (Index("ix_visit_person_id_at", "person_id", "at"),)

    Base.metadata.create_all(engine)
    session.get(Visit, 3)
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Silent for indexes that forbid equal keys or belong to a constraint, unless another one forbids the same, for
    unique ones that a foreign key refers to, and for tables that the run does not use.
    """

    code: ClassVar[str] = "DBG205"
    name: ClassVar[str] = "redundant-index"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.PREVIEW

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each index that can go."""
        used = used_tables(assessment)
        for each in redundant(assessment.catalog):
            if each.table.name not in used:
                continue
            by = _name_of(each.by)
            says = f"{by} has the same keys" if each.reason == "equal" else f"{by} begins with the same keys"
            yield Finding(
                rule=self.code,
                name=self.name,
                severity=self.severity,
                subject=each.index.name,
                message=f"the index `{each.index.name}` of `{each.table.label}` is not needed: {says}",
                fix=Fix(f"remove `{each.index.name}` from the model of `{each.table.label}`, and drop it"),
                remedies=drop_remedies(each.table, each.index, assessment.catalog.dialect),
            )


def _name_of(index: Index) -> str:
    """Return what to call an index that stays: SQLite numbers those of constraints."""
    if index.is_primary:
        return f"the primary key `{index.name}`" if index.name and not _is_numbered(index) else "the primary key"
    if _is_numbered(index):
        return f"the unique constraint on `{', '.join(column or '' for column in index.columns)}`"
    return f"`{index.name}`"


def _is_numbered(index: Index) -> bool:
    return index.name.startswith("sqlite_autoindex_")
