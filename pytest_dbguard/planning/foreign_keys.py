"""What an index on a foreign key would do where the database itself looks for the rows that refer to another one."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_dbguard.planning.assessment import Basis, UnindexedKey, Verdict
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.verdicts import SMALL_TABLE_ROWS, VerdictMaker
from pytest_dbguard.planning.what_if import WhatIf
from pytest_dbguard.schema.catalog import Catalog, Dialect, ForeignKey, Table
from pytest_dbguard.schema.quoting import identifier


def wanted_keys(catalog: Catalog, verdicts: VerdictMaker) -> tuple[tuple[Table, ForeignKey, IndexSpec], ...]:
    """Return the foreign keys without an index, with the index each wants; those of small tables are left out."""
    from pytest_dbguard.planning.candidates.foreign_keys import unindexed_foreign_keys

    return tuple(each for each in unindexed_foreign_keys(catalog) if _rows(verdicts, each[0]) >= SMALL_TABLE_ROWS)


def unindexed_keys(catalog: Catalog, verdicts: VerdictMaker, what_if: WhatIf | None) -> tuple[UnindexedKey, ...]:
    """Return the foreign keys without an index, each with the verdict on one.

    Databases check a key with a query of their own that EXPLAIN does not show: the same query is asked here.
    """
    return tuple(
        UnindexedKey(table, key, spec, _verdict(catalog, table, spec, verdicts, what_if))
        for table, key, spec in wanted_keys(catalog, verdicts)
    )


def _rows(verdicts: VerdictMaker, table: Table) -> float:
    return verdicts.rows(table.name, table.schema)


def _verdict(
    catalog: Catalog, table: Table, spec: IndexSpec, verdicts: VerdictMaker, what_if: WhatIf | None
) -> Verdict:
    rows = _rows(verdicts, table)
    if what_if is None:
        return Verdict(True, Basis.STATIC)
    names = what_if.names([spec])
    text = check_query(table, spec, catalog.dialect)
    effect = what_if.helpful(text, [names], {table.name.lower(): rows})[0]
    return Verdict(
        helps=effect is not None,
        basis=verdicts.basis(table.name, table.schema),
        cost_before=effect.before.cost if effect else None,
        cost_after=effect.after.cost if effect else None,
        plan_before=effect.before if effect else None,
        plan_after=effect.after if effect else None,
        size=what_if.size(spec) if effect else None,
        rows=rows,
    )


def check_query(table: Table, spec: IndexSpec, dialect: Dialect) -> str:
    """Return the query that finds the rows which refer to one row."""
    name = ".".join(identifier(part) for part in (table.schema, table.name) if part)
    return f"SELECT 1 FROM {name} WHERE {' AND '.join(_conditions(spec, dialect))}"


def _conditions(spec: IndexSpec, dialect: Dialect) -> Iterator[str]:
    for number, column in enumerate(spec.columns, 1):
        if column is not None:
            yield f"{identifier(column)} = " + (f"${number}" if dialect is Dialect.POSTGRESQL else "?")
