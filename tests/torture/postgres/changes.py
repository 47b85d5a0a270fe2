"""Changes that PostgreSQL understands, as the statements of one transaction."""

from __future__ import annotations

CHANGES = {
    "create_table_with_a_serial": ["CREATE TABLE later (id serial PRIMARY KEY)", "INSERT INTO later DEFAULT VALUES"],
    "drop_and_create_table": ["DROP TABLE node", "CREATE TABLE node (id serial PRIMARY KEY, parent_id integer)"],
    "drop_column": ["ALTER TABLE customer DROP COLUMN name CASCADE"],
    "change_type_of_column": ["ALTER TABLE node ALTER COLUMN parent_id TYPE bigint"],
    "drop_schema": ["DROP SCHEMA stock CASCADE"],
    "create_schema": [
        "CREATE SCHEMA later",
        "CREATE TABLE later.thing (id integer)",
        "INSERT INTO later.thing VALUES (1)",
    ],
    "drop_public_and_create": ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"],
    "create_function": ["CREATE FUNCTION later() RETURNS integer LANGUAGE sql AS 'SELECT 1'"],
    "replace_function": [
        "CREATE OR REPLACE FUNCTION add_customer(new_name text) RETURNS integer LANGUAGE sql AS 'SELECT 1'"
    ],
    "disable_trigger": ["ALTER TABLE customer DISABLE TRIGGER ALL"],
    "create_trigger": ["CREATE TRIGGER later AFTER DELETE ON node FOR EACH ROW EXECUTE FUNCTION audit.refuse()"],
    "create_rule": [
        "CREATE RULE later AS ON DELETE TO shop DO INSTEAD NOTHING",
        "INSERT INTO shop (name) VALUES ('x')",
    ],
    "comment": ["COMMENT ON TABLE customer IS 'buys'"],
    "grant": ["GRANT ALL ON customer TO PUBLIC"],
    "default_privileges": ["ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"],
    "policy": ["DROP POLICY only_own ON secret", "ALTER TABLE secret NO FORCE ROW LEVEL SECURITY"],
    "detach_partition": ["ALTER TABLE measurement DETACH PARTITION measurement_2024"],
    "create_partition": [
        "CREATE TABLE measurement_2026 PARTITION OF measurement FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
    ],
    "drop_constraint": ["ALTER TABLE account DROP CONSTRAINT account_customer_id_fkey", "DELETE FROM customer"],
    "exchange_indexes": ["CREATE INDEX later ON customer (name)", "DROP INDEX totals_customer"],
    "change_sequence": ["ALTER SEQUENCE ticket INCREMENT 7 RESTART WITH 3"],
    "restart_sequence": ["ALTER SEQUENCE ticket RESTART"],
    "drop_sequence": ["DROP SEQUENCE unused_ticket"],
    "drop_materialized_view": ["DROP MATERIALIZED VIEW totals"],
    "set_unlogged": ["ALTER TABLE node SET UNLOGGED", "INSERT INTO node DEFAULT VALUES"],
    "statistics": ["CREATE STATISTICS later ON id, name FROM customer"],
    "domain": ["ALTER DOMAIN stock.positive ADD CONSTRAINT small CHECK (VALUE < 100)"],
    "enum_value_used": ["ALTER TYPE stock.mood RENAME VALUE 'sad' TO 'blue'"],
    "replica_identity": ["ALTER TABLE customer REPLICA IDENTITY FULL"],
    "event_trigger": [
        "CREATE FUNCTION later() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "CREATE EVENT TRIGGER later ON sql_drop EXECUTE FUNCTION later()",
    ],
}
