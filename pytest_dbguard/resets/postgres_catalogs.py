"""A fingerprint of PostgreSQL's catalogs, for roles that may not count changes to the schema as they happen."""

from __future__ import annotations

# The lowest number that objects of users get; ours and temporary ones do not count.
_FIRST = 16384
_OURS = "(SELECT oid FROM pg_namespace WHERE nspname = 'dbguard' OR nspname ~ '^pg_(toast|temp)')"
_SUM = "coalesce(sum(hashtextextended({columns}, 0)), 0)"
_XMIN = "count(*) || '/' || coalesce(sum(xmin::text::int8), 0)"

# pg_class is told by its columns: TRUNCATE, VACUUM and ANALYZE write to it.
_CLASS = _SUM.format(
    columns="concat_ws(' ', oid, relname, relnamespace, reltype, relowner, relkind, relpersistence, relnatts,"
    " relchecks, reltablespace, relrowsecurity, relforcerowsecurity, relispartition, relreplident, relacl, reloptions,"
    " relpartbound)"
)
_CLASS_WHERE = f"oid >= {_FIRST} AND relkind <> 't' AND relnamespace <> ALL (ARRAY{_OURS}::oid[])"
_OF_CLASS = f"(SELECT oid FROM pg_class WHERE {_CLASS_WHERE})"
_QUERIES = (
    f"SELECT {_CLASS} FROM pg_class WHERE {_CLASS_WHERE}",
    *(
        f"SELECT {_XMIN} FROM {catalog} WHERE {column} IN {_OF_CLASS}"
        for catalog, column in (
            ("pg_attribute", "attrelid"),
            ("pg_attrdef", "adrelid"),
            ("pg_index", "indexrelid"),
            ("pg_trigger", "tgrelid"),
            ("pg_rewrite", "ev_class"),
            ("pg_policy", "polrelid"),
            ("pg_inherits", "inhrelid"),
            ("pg_sequence", "seqrelid"),
            ("pg_statistic_ext", "stxrelid"),
        )
    ),
    *(
        f"SELECT {_XMIN} FROM {catalog} WHERE oid >= {_FIRST} AND {column} <> ALL (ARRAY{_OURS}::oid[])"
        for catalog, column in (
            ("pg_type", "typnamespace"),
            ("pg_proc", "pronamespace"),
            ("pg_constraint", "connamespace"),
            ("pg_collation", "collnamespace"),
            ("pg_operator", "oprnamespace"),
            ("pg_ts_config", "cfgnamespace"),
        )
    ),
    f"SELECT {_XMIN} FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)' AND nspname <> 'dbguard'",
    f"SELECT {_XMIN} FROM pg_description WHERE objoid >= {_FIRST}",
    *(
        f"SELECT {_XMIN} FROM {catalog}"
        for catalog in ("pg_enum", "pg_extension", "pg_default_acl", "pg_cast", "pg_publication", "pg_foreign_server")
    ),
)
FINGERPRINT = "concat_ws(';', " + ", ".join(f"({query})" for query in _QUERIES) + ")"
"""An expression whose value changes with every change to the schema."""
