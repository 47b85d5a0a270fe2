"""Changes to the schema, each committed."""

from __future__ import annotations

import engines
import psycopg
import pytest
from models import Base
from sqlalchemy import text

CHANGES = {
    "create_table": "CREATE TABLE later (id serial PRIMARY KEY); INSERT INTO later DEFAULT VALUES",
    "create_table_as": "CREATE TABLE later AS SELECT * FROM customer",
    "drop_table": "DROP TABLE gap",
    "drop_and_create_table": "DROP TABLE node; CREATE TABLE node (id serial PRIMARY KEY, parent_id integer)",
    "drop_column": "ALTER TABLE customer DROP COLUMN name CASCADE",
    "add_column": "ALTER TABLE customer ADD COLUMN age integer NOT NULL DEFAULT 7",
    "change_type_of_column": "ALTER TABLE node ALTER COLUMN parent_id TYPE bigint",
    "rename_table": "ALTER TABLE customer RENAME TO client",
    "drop_schema": "DROP SCHEMA stock CASCADE",
    "create_schema": "CREATE SCHEMA later; CREATE TABLE later.thing (id integer); INSERT INTO later.thing VALUES (1)",
    "drop_public_and_create": "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
    "create_function": "CREATE FUNCTION later() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "replace_function": "CREATE OR REPLACE FUNCTION add_customer(new_name text) RETURNS integer "
    "LANGUAGE sql AS 'SELECT 1'",
    "disable_trigger": "ALTER TABLE customer DISABLE TRIGGER ALL",
    "create_trigger": "CREATE TRIGGER later AFTER DELETE ON node FOR EACH ROW EXECUTE FUNCTION audit.refuse()",
    "create_rule": "CREATE RULE later AS ON DELETE TO shop DO INSTEAD NOTHING; INSERT INTO shop (name) VALUES ('x')",
    "comment": "COMMENT ON TABLE customer IS 'buys'",
    "grant": "GRANT ALL ON customer TO PUBLIC",
    "default_privileges": "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    "policy": "DROP POLICY only_own ON secret; ALTER TABLE secret NO FORCE ROW LEVEL SECURITY",
    "detach_partition": "ALTER TABLE measurement DETACH PARTITION measurement_2024",
    "create_partition": "CREATE TABLE measurement_2026 PARTITION OF measurement "
    "FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "drop_constraint": "ALTER TABLE account DROP CONSTRAINT account_customer_id_fkey; DELETE FROM customer",
    "create_index": "CREATE INDEX later ON customer (name); DROP INDEX totals_customer",
    "change_sequence": "ALTER SEQUENCE ticket INCREMENT 7 RESTART WITH 3",
    "restart_sequence": "ALTER SEQUENCE ticket RESTART",
    "drop_sequence": "DROP SEQUENCE unused_ticket",
    "drop_materialized_view": "DROP MATERIALIZED VIEW totals",
    "set_unlogged": "ALTER TABLE node SET UNLOGGED; INSERT INTO node DEFAULT VALUES",
    "statistics": "CREATE STATISTICS later ON id, name FROM customer",
    "domain": "ALTER DOMAIN stock.positive ADD CONSTRAINT small CHECK (VALUE < 100)",
    "enum_value_used": "ALTER TYPE stock.mood RENAME VALUE 'sad' TO 'blue'",
    "replica_identity": "ALTER TABLE customer REPLICA IDENTITY FULL",
}
CHANGES["event_trigger"] = (
    "CREATE FUNCTION later() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; "
    "CREATE EVENT TRIGGER later ON sql_drop EXECUTE FUNCTION later()"
)
ALONE = {
    "enum_value": ["ALTER TYPE stock.mood ADD VALUE 'happy'", "UPDATE customer SET mood = 'happy'"],
    "index_concurrently": ["CREATE INDEX CONCURRENTLY later ON customer (name)", "REINDEX TABLE CONCURRENTLY customer"],
    "rewritten": [
        "INSERT INTO node DEFAULT VALUES",
        "VACUUM FULL node",
        "CLUSTER shop USING shop_pkey",
        "VACUUM FULL gap",
    ],
    "index_dropped_concurrently": ["DROP INDEX CONCURRENTLY totals_customer"],
    "publication": ["CREATE PUBLICATION later FOR TABLE customer"],
    "analyzed": ["INSERT INTO node DEFAULT VALUES", "ANALYZE", "VACUUM"],
    "without_dbguard": [
        "DROP EVENT TRIGGER IF EXISTS dbguard_ddl",
        "DROP SCHEMA IF EXISTS dbguard CASCADE",
        "DROP TABLE gap",
    ],
}


@pytest.mark.parametrize("change", CHANGES)
def test_change(change):
    with engines.primary.begin() as connection:
        for statement in CHANGES[change].split("; "):
            connection.exec_driver_sql(statement.replace("%", "%%"))


@pytest.mark.parametrize("change", ALONE)
def test_change_outside_of_transactions(admin, change, expectation):
    if change == "without_dbguard" and not expectation.is_plain:
        # what fixtures of wider scope wrote is kept there, and would be lost for good
        return
    for statement in ALONE[change]:
        admin.execute(statement)


def test_extension(admin):
    admin.execute("CREATE EXTENSION IF NOT EXISTS hstore")
    admin.execute("CREATE TABLE later (pairs hstore)")


def test_rolled_back(dsn):
    with psycopg.connect(dsn) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.rollback()


def test_tables_dropped_and_created_by_the_application():
    Base.metadata.drop_all(engines.primary)
    Base.metadata.create_all(engines.primary)
    with engines.primary.begin() as connection:
        assert connection.scalar(text("INSERT INTO shop (name) VALUES ('x') RETURNING id")) == 1


def test_the_database_is_dropped(admin, expectation):
    if not expectation.is_plain:
        # what fixtures of wider scope wrote would be lost for good
        return
    name, maintenance = admin.info.dbname, admin.info.get_parameters() | {"dbname": "postgres"}
    password = admin.info.password
    admin.close()
    with psycopg.connect(**maintenance, password=password, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
