"""How many rows a database believes its tables to have; asking costs no look at a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.schema.fetching import Fetch, fetched_json

# Those of partitioned tables are of the last ANALYZE too; -1 stands for never.
_POSTGRESQL: Final = """
SELECT json_agg(json_build_array(n.nspname, c.relname, c.reltuples))::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND c.reltuples >= 0 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
_HAS_STATISTICS: Final = "SELECT json_array(count(*)) FROM sqlite_master WHERE name = 'sqlite_stat1'"
_SQLITE: Final = "SELECT json_group_array(json_array('', tbl, stat)) FROM sqlite_stat1"


def row_estimates(fetch: Fetch, dialect: Dialect) -> Mapping[tuple[str, str], float]:
    """Return rows by schema and name, for the tables that ANALYZE has seen."""
    if dialect is Dialect.POSTGRESQL:
        return {(schema, name): rows for schema, name, rows in fetched_json(fetch, _POSTGRESQL) or ()}
    if not fetched_json(fetch, _HAS_STATISTICS)[0]:
        return {}
    # Partial indexes have fewer entries than their table has rows.
    found: dict[tuple[str, str], float] = {}
    for schema, name, stat in fetched_json(fetch, _SQLITE):
        first = (stat or "").split(" ")[0]
        found[schema, name] = max(found.get((schema, name), 0.0), float(first) if first.isdecimal() else 0.0)
    return found
