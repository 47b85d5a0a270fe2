"""Decides how many rows each table of a schema holds: told ones as they are, others from their place in the schema."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from pytest_dbguard.planning.statistics.model import Origin, TableStatistics
from pytest_dbguard.planning.statistics.overlay import rescaled
from pytest_dbguard.planning.statistics.reference_tables import reference_rows
from pytest_dbguard.schema.catalog import Catalog, Table

Key = tuple[str, str]
"""Schema and name."""


def with_rows(known: Mapping[Key, TableStatistics], catalog: Catalog, default: float) -> dict[Key, TableStatistics]:
    """Return every table of the catalog with its rows; what is `known` by schema and name keeps its figures."""
    found: dict[Key, TableStatistics] = {}
    for table in catalog.tables:
        key = (table.schema, table.name)
        given = known.get(key)
        if given is not None and given.origin is not Origin.DEFAULT:
            found[key] = given
        else:
            columns = given.columns if given is not None else ()
            rows = float(reference_rows(table) or default)
            found[key] = TableStatistics(table.schema, table.name, rows, columns=columns)
    _fill_join_tables(found, catalog)
    _share_among_partitions(found, catalog)
    return found


def _fill_join_tables(found: dict[Key, TableStatistics], catalog: Catalog) -> None:
    """A table that joins two others holds at least a row for each of the larger one's."""
    for table in catalog.tables:
        key = (table.schema, table.name)
        if found[key].origin is Origin.DEFAULT and is_join_table(table):
            referred = [found.get((each.referred_schema, each.referred_table)) for each in table.foreign_keys]
            told = [each.rows for each in referred if each is not None and each.origin is not Origin.DEFAULT]
            found[key] = replace(found[key], rows=max([found[key].rows, *told]))


def is_join_table(table: Table) -> bool:
    """Whether a table joins others and holds little else: a key made of the columns of two foreign keys or more."""
    referring = {column for key in table.foreign_keys for column in key.columns}
    return len(table.foreign_keys) > 1 and any(
        len(unique) > 1 and set(unique) <= referring for unique in table.uniques()
    )


def _share_among_partitions(found: dict[Key, TableStatistics], catalog: Catalog) -> None:
    """Let partitions add up to their parent, from the top down.

    Told partitions tell their parent where nobody told it; else those that were not told share what is left equally.
    """
    children: dict[Key, list[Key]] = defaultdict(list)
    for table in catalog.tables:
        if table.partition_of is not None and table.partition_of in found:
            children[table.partition_of].append((table.schema, table.name))
    kin = {child for own in children.values() for child in own}
    for root in [key for key in children if key not in kin]:
        _add_up(root, found, children)
        _share_out(root, found, children)


def _add_up(parent: Key, found: dict[Key, TableStatistics], children: Mapping[Key, list[Key]]) -> None:
    own = children.get(parent, [])
    for child in own:
        _add_up(child, found, children)
    told = [found[child] for child in own if found[child].origin is not Origin.DEFAULT]
    if told and len(told) == len(own) and found[parent].origin is not Origin.DECLARED:
        weakest = max((each.origin for each in told), key=list(Origin).index)
        found[parent] = replace(found[parent], rows=sum(each.rows for each in told), origin=weakest)


def _share_out(parent: Key, found: dict[Key, TableStatistics], children: Mapping[Key, list[Key]]) -> None:
    own = children.get(parent, [])
    told = [child for child in own if found[child].origin is not Origin.DEFAULT]
    others = [child for child in own if child not in told]
    total, sum_told = found[parent].rows, sum(found[child].rows for child in told)
    for child in others:
        rows = max(0.0, total - sum_told) / len(others)
        found[child] = replace(found[child], rows=float(round(rows)), origin=found[parent].origin)
    if told and not others and sum_told and sum_told != total:
        for child in told:
            rows = float(round(found[child].rows * total / sum_told))
            found[child] = replace(rescaled(found[child], rows), origin=found[parent].origin)
    for child in own:
        _share_out(child, found, children)
