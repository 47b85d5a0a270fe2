"""Prepares a template of PostgreSQL: copies of its rows, and a counter of changes to its schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection

SCHEMA = "dbguard"
"""The schema of our own in every database that we clean."""

# What tests may write to: everything with rows of its own, but for tables that extensions bring along.
TABLES = """
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = ANY ({kinds}::"char"[]) AND c.relpersistence <> 't'
AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbguard') AND n.nspname !~ '^pg_(toast|temp)'
AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                AND d.objid = c.oid AND d.deptype = 'e')
"""

# Counted by a sequence, which a rollback does not take back. Security definer: any role may change a schema.
# Temporary objects and our own are nobody's business; a default has no schema, but its table's ALTER TABLE has.
_COUNTER = """
CREATE SEQUENCE dbguard.ddl;
CREATE FUNCTION dbguard.count_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
    IF tg_event = 'sql_drop' THEN
        IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() o
                   WHERE NOT o.is_temporary AND o.classid <> 'pg_attrdef'::regclass
                   AND coalesce(o.schema_name, '') NOT IN ('pg_temp', 'pg_toast', 'dbguard')
                   AND coalesce(o.address_names[1], '') <> 'pg_temp') THEN
            PERFORM nextval('dbguard.ddl');
        END IF;
    ELSIF tg_tag IN ('DROP OWNED', 'REASSIGN OWNED') OR EXISTS (
            SELECT FROM pg_event_trigger_ddl_commands() o
            WHERE coalesce(o.schema_name, '') NOT IN ('pg_temp', 'dbguard')) THEN
        PERFORM nextval('dbguard.ddl');
    END IF;
END $$;
CREATE EVENT TRIGGER dbguard_ddl ON ddl_command_end EXECUTE FUNCTION dbguard.count_ddl();
CREATE EVENT TRIGGER dbguard_drop ON sql_drop EXECUTE FUNCTION dbguard.count_ddl();
ALTER EVENT TRIGGER dbguard_ddl ENABLE ALWAYS;
ALTER EVENT TRIGGER dbguard_drop ENABLE ALWAYS;
"""


def copy_name(layer: int, oid: int) -> str:
    """Return what the copy of a table's rows is called; copies of a database keep the numbers of its tables."""
    return f'{SCHEMA}."{layer}_{oid}"'


def prepare(connection: Connection) -> None:
    """Make a template ready for the cleaner: once, after all that builds it, on a connection outside a transaction.

    Roles that may not make event triggers go without: the cleaner then compares the catalogs.
    """
    with connection.transaction():
        connection.execute(b"SET LOCAL synchronize_seqscans = off")
        connection.execute(b"CREATE SCHEMA IF NOT EXISTS dbguard")
        _copy_rows(connection)
    _count_ddl(connection)


def _copy_rows(connection: Connection) -> None:
    kinds = "'{r,m}'"  # a materialised view is only watched, but that needs a copy to compare with
    readable = "AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid)"
    query = f"SELECT c.oid::int8, format('%I.%I', n.nspname, c.relname) {TABLES.format(kinds=kinds)} {readable}"
    tables = connection.execute(query.encode()).fetchall()
    for oid, name in tables:
        if connection.execute(f"SELECT FROM ONLY {name} LIMIT 1".encode()).fetchone() is not None:
            connection.execute(f"CREATE TABLE {copy_name(0, oid)} AS SELECT * FROM ONLY {name}".encode())


def _count_ddl(connection: Connection) -> None:
    from psycopg import errors

    try:
        with connection.transaction():
            connection.execute(_COUNTER.encode())
    except (errors.InsufficientPrivilege, errors.UndefinedObject):
        return  # not a superuser, or no plpgsql
