"""One cheap query that tells whether a schema has changed since it was read."""

from __future__ import annotations

from typing import Final

from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.schema.postgres_query_parts import FIRST_OID

# Plain scans, with what is left out in arrays that are read once: planning joins would take longer than all the rest.
_OURS: Final = (
    "ARRAY(SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_' OR nspname = 'dbguard') AS schemas"
)
_OF_OURS: Final = "ARRAY(SELECT oid FROM pg_class, ours WHERE relnamespace = ANY (schemas)) AS relations"
# Every change writes a new version of a row of a catalog, with the number of its transaction.
_VERSIONS: Final = "count(*) || '/' || coalesce(sum(xmin::text::int8), 0)"
_PARTS: Final = (
    # Numbers of transactions are those of one server.
    "pg_postmaster_start_time()",
    # Where names without a schema lead.
    "current_schemas(false)",
    # By its columns: TRUNCATE and VACUUM write to it.
    "(SELECT coalesce(sum(hashtextextended(concat_ws(' ', oid, relname, relnamespace, relkind, relpersistence,"
    " reloptions, relispartition), 0)), 0) FROM pg_class"
    f" WHERE oid >= {FIRST_OID} AND relkind <> 't' AND relnamespace <> ALL (schemas))",
    *(
        f"(SELECT {_VERSIONS} FROM {catalog} WHERE {column} >= {FIRST_OID} AND {column} <> ALL (relations))"
        for catalog, column in (
            ("pg_attribute", "attrelid"),
            ("pg_attrdef", "adrelid"),
            ("pg_index", "indexrelid"),
            ("pg_rewrite", "ev_class"),
            ("pg_inherits", "inhrelid"),
            ("pg_statistic_ext", "stxrelid"),
        )
    ),
    *(
        f"(SELECT {_VERSIONS} FROM {catalog} WHERE oid >= {FIRST_OID} AND {column} <> ALL (schemas))"
        for catalog, column in (
            ("pg_type", "typnamespace"),
            ("pg_proc", "pronamespace"),
            ("pg_constraint", "connamespace"),
            ("pg_collation", "collnamespace"),
            ("pg_ts_config", "cfgnamespace"),
        )
    ),
    *(f"(SELECT {_VERSIONS} FROM {catalog})" for catalog in ("pg_enum", "pg_extension")),
    f"(SELECT {_VERSIONS} FROM pg_namespace WHERE oid <> ALL (schemas) AND nspname !~ '^pg_')",
)
_POSTGRESQL: Final = (
    f"WITH ours AS MATERIALIZED (SELECT {_OURS}), left_out AS MATERIALIZED (SELECT schemas, {_OF_OURS} FROM ours)"
    f" SELECT concat_ws(';', {', '.join(_PARTS)}) FROM left_out"
)
# In the order of their making; what is renamed or changed keeps its place and gets another text.
_SQLITE: Final = (
    "SELECT group_concat(type || ' ' || name || ' ' || coalesce(sql, ''), char(10)) FROM"
    " (SELECT type, name, sql FROM sqlite_master UNION ALL SELECT type, name, sql FROM sqlite_temp_master)"
)


def fingerprint_query(dialect: Dialect) -> str:
    """Return a query for one text that differs after every change to a table, column, index, constraint, view or type.

    What it returns is good for comparing on one server, not for telling schemas apart elsewhere: `catalog_id` does
    that. Another search path shows too. Rows that come and go, TRUNCATE, VACUUM, ANALYZE and temporary tables of
    PostgreSQL leave it as it is.
    """
    return _POSTGRESQL if dialect is Dialect.POSTGRESQL else _SQLITE
