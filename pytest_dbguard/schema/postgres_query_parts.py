"""What the queries that read PostgreSQL's catalogs are put together from."""

from __future__ import annotations

from typing import Final

FIRST_OID: Final = 16384
"""The lowest number that objects of users get."""

# How names are written in expressions, types and statements depends on the search path. All texts are made with the
# same one, and the one of the session comes back within the statement, also where no transaction is open: CTEs that
# are materialized run once each, in the order in which one needs the other.
_WITH_FIXED_PATH = """
WITH before AS MATERIALIZED (
  SELECT current_setting('search_path') AS path, set_config('search_path', 'public', true) AS now
), answer AS MATERIALIZED (
  SELECT json_agg(json_build_object({fields}))::text AS document
  FROM before CROSS JOIN {source}
)
SELECT answer.document FROM answer, before
WHERE set_config('search_path', before.path || left(coalesce(answer.document, ''), 0), true) IS NOT NULL
"""


def query(source: str, **fields: str) -> str:
    """Return a query for one JSON text: an array with an object for each row. It changes nothing."""
    return _WITH_FIXED_PATH.format(
        fields=", ".join(f"'{name}', {expression}" for name, expression in fields.items()), source=source
    )


def of_extension(catalog: str, oid: str) -> str:
    """Return an expression for the name of the extension that an object belongs to."""
    return (
        "(SELECT e.extname FROM pg_depend x JOIN pg_extension e ON e.oid = x.refobjid"
        f" WHERE x.classid = 'pg_catalog.{catalog}'::regclass AND x.objid = {oid} AND x.deptype = 'e'"
        " AND x.refclassid = 'pg_catalog.pg_extension'::regclass LIMIT 1)"
    )


def name_of(schema: str, name: str) -> str:
    """Return an expression for a name with its schema, in quotes where it needs them."""
    return f"(quote_ident({schema}) || '.' || quote_ident({name}))"


OF_USERS: Final = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'dbguard')"
"""A condition for the schemas of users, as `n`."""

_COLLATION = (
    "(SELECT CASE WHEN ns.nspname = 'pg_catalog' THEN l.collname::text ELSE {quoted} END"
    " FROM pg_collation l JOIN pg_namespace ns ON ns.oid = l.collnamespace WHERE l.oid = {oid})"
)


def collation_of(oid: str) -> str:
    """Return an expression for the name of a collation, with its schema where it is a user's."""
    return _COLLATION.format(oid=oid, quoted=name_of("ns.nspname", "l.collname"))
