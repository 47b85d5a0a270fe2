"""Changes to the schema that transactions have no part in, and of whole databases."""

from __future__ import annotations

import psycopg
import pytest

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


def test_the_database_is_dropped(admin, expectation):
    if not expectation.is_plain:
        # what fixtures of wider scope wrote would be lost for good
        return
    name, maintenance = admin.info.dbname, admin.info.get_parameters() | {"dbname": "postgres"}
    password = admin.info.password
    admin.close()
    with psycopg.connect(**maintenance, password=password, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
