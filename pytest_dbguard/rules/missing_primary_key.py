"""DBG801: a table whose rows no key tells apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, Remedy, Severity
from pytest_dbguard.planning.assessment import Assessment
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.index_findings import IndexRule
from pytest_dbguard.rules.schema_findings import has_row_numbers, judged_tables
from pytest_dbguard.schema.catalog import Catalog, Dialect, RelationKind, Table
from pytest_dbguard.schema.quoting import quoted


class MissingPrimaryKey(IndexRule):
    """missing-primary-key (DBG801).

    ## What it does
    Finds tables without a primary key.

    ## Why is this bad?
    Rows that are alike cannot be told apart: no UPDATE or DELETE reaches just one of them, nothing can refer to them,
    the ORM cannot map them, and PostgreSQL's logical replication refuses to change them.

    ## Example
    ```python
    metadata = MetaData()
    visit = Table("visit", metadata, Column("person_id", Integer), Column("page", String(80)))
    metadata.create_all(engine)
    session.execute(visit.insert(), {"person_id": 3, "page": "home"})
    ```

    ## Use instead
    ```python
    metadata = MetaData()
    columns = Column("person_id", Integer), Column("page", String(80))
    visit = Table("visit", metadata, Column("id", Integer, primary_key=True), *columns)
    metadata.create_all(engine)
    session.execute(visit.insert(), {"person_id": 3, "page": "home"})
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Silent for tables that a run of tests does not use, for those with a unique key that takes no NULL, partitioned and
    temporary ones, those of migration tools, and those whose names say that they pass (`tmp_`, `test_`, `_backup`).
    SQLite numbers the rows itself, so there it is a note.
    """

    code: ClassVar[str] = "DBG801"
    name: ClassVar[str] = "missing-primary-key"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each table."""
        catalog = assessment.catalog
        for table in judged_tables(assessment):
            # the key of a partitioned table would have to hold what it is divided by, so that it means little
            is_whole = table.kind is RelationKind.TABLE
            if is_whole and table.columns and not table.primary_key and not _has_key(table):
                yield self._finding(table, catalog)

    def _finding(self, table: Table, catalog: Catalog) -> Finding:
        is_numbered = has_row_numbers(table, catalog)
        harm = "rows that are alike cannot be told apart"
        more = ", nor changed by logical replication" if catalog.dialect is Dialect.POSTGRESQL else ""
        key = ", ".join(_likely_key(table))
        code = f"PrimaryKeyConstraint({', '.join(f'{name!r}' for name in _likely_key(table))})".replace("'", '"')
        new = "id: Mapped[int] = mapped_column(primary_key=True)"
        title = f"make `{key}` the primary key" if key else f"add a key to the model of `{table.label}`"
        return Finding(
            rule=self.code,
            name=self.name,
            severity=Severity.NOTE if is_numbered else self.severity,
            subject=table.label,
            message=f"`{table.label}` has no primary key: {harm}{more}",
            fix=Fix(title, code if key else new),
            remedies=_remedies(table, catalog),
        )


def _has_key(table: Table) -> bool:
    """Whether a unique index tells the rows apart, since it takes no NULL."""
    strict = {column.name for column in table.columns if not column.nullable}
    return any(set(columns) <= strict for columns in table.uniques() if columns)


def _likely_key(table: Table) -> tuple[str, ...]:
    """Return the columns of an association, which are its key; () for other tables."""
    keys = tuple(name for key in table.foreign_keys for name in key.columns)
    return keys if len(table.foreign_keys) >= 2 and set(keys) == {column.name for column in table.columns} else ()


def _remedies(table: Table, catalog: Catalog) -> tuple[Remedy, ...]:
    if catalog.dialect is not Dialect.POSTGRESQL:
        return ()
    place = ".".join(quoted(part) for part in (table.schema, table.name) if part not in ("", "public"))
    key = ", ".join(quoted(name) for name in _likely_key(table))
    if key:
        return (Remedy("sql", f"ALTER TABLE {place} ADD PRIMARY KEY ({key});"),)
    if table.column("id") is not None:
        return (Remedy("sql", f"ALTER TABLE {place} ADD PRIMARY KEY (id);"),)
    return (Remedy("sql", f"ALTER TABLE {place} ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;"),)
