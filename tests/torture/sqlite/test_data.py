"""Writes and changes of the schema, each committed."""

from __future__ import annotations

import subprocess
import sys
import threading

import engines
import pytest
from models import Base, Order, Shop
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

WRITES = {
    "trigger": "INSERT INTO customer (email, name) VALUES ('c', 'C')",
    "cascade": "DELETE FROM customer",
    "cascading_update": "UPDATE customer SET id = id + 100",
    "seeds_changed": "UPDATE account SET balance = 0; DELETE FROM setting; UPDATE shop SET name = 'x'",
    "seeds_changed_back": "UPDATE shop SET name = 'x'; UPDATE shop SET name = 'corner'",
    "seeds_deleted": 'DELETE FROM account; DELETE FROM "order"',
    "replace": "INSERT OR REPLACE INTO setting VALUES ('a', 5), ('c', 6)",
    "upsert": "INSERT INTO setting VALUES ('a', 5) ON CONFLICT (name) DO UPDATE SET value = 9",
    "autoincrement": "INSERT INTO node (id) VALUES (500); DELETE FROM node",
    "autoincrement_forgotten": "DELETE FROM sqlite_sequence",
    "circle": "INSERT INTO department VALUES (2, 2); INSERT INTO employee VALUES (2, 2)",
    "tree": "INSERT INTO node VALUES (1, NULL), (2, 1), (3, 2); DELETE FROM node WHERE id = 1",
    "odd_names": 'INSERT INTO "Odd %s "" Täble" VALUES (1)',
    "watched": "INSERT INTO watched (body) VALUES ('stays')",
    "view": "INSERT INTO rich VALUES ('Rich', 1000)",
    "full_text": "INSERT INTO document VALUES ('new', 'to be found'); DELETE FROM document WHERE rowid = 1",
    "many_rows": "INSERT INTO node (parent_id) WITH RECURSIVE n (i) AS (SELECT 1 "
    "UNION ALL SELECT i + 1 FROM n LIMIT 20000) SELECT NULL FROM n",
    "nothing": "SELECT 1",
    "create_table": "CREATE TABLE later (id INTEGER); INSERT INTO later VALUES (1)",
    "drop_table": "DROP TABLE watched; DROP TABLE document",
    "drop_and_create": "DROP TABLE setting; CREATE TABLE setting (name TEXT PRIMARY KEY, value ANY) WITHOUT ROWID",
    "rename": "ALTER TABLE customer RENAME TO client",
    "add_column": "ALTER TABLE customer ADD COLUMN age INTEGER DEFAULT 7",
    "create_trigger": "CREATE TRIGGER later AFTER DELETE ON node BEGIN DELETE FROM customer; END",
    "create_index": "CREATE INDEX later ON customer (email); DROP INDEX customer_name",
    "drop_view": "DROP VIEW rich; CREATE VIEW rich AS SELECT 1 AS one",
    "version": "PRAGMA user_version = 99",
    "analyze": "ANALYZE",
}
SESSION_STATE = {
    "foreign_keys": "PRAGMA foreign_keys = OFF",
    "recursive_triggers": "PRAGMA recursive_triggers = ON",
    "attached": "ATTACH DATABASE ':memory:' AS other",
    "temporary": "CREATE TEMPORARY TABLE temporary AS SELECT * FROM customer",
    "temporary_trigger": "CREATE TEMPORARY TRIGGER later AFTER DELETE ON node BEGIN DELETE FROM customer; END",
}


def run(statements):
    with engines.primary.begin() as connection:
        for statement in statements.split("; ") if "BEGIN" not in statements else [statements]:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize("write", WRITES)
def test_write(write):
    run(WRITES[write])


@pytest.mark.parametrize("what", SESSION_STATE)
def test_session_keeps(what):
    with engines.primary.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(SESSION_STATE[what])


def test_orm():
    with Session(engines.primary) as session:
        shop = Shop(name="new", orders=[Order(), Order()])
        session.add(shop)
        session.commit()
        assert (shop.id, shop.orders[0].id) == (2, 3)
        session.execute(update(Order).values(shop_id=shop.id))
        session.execute(delete(Shop).where(Shop.id == 1))
        session.commit()
    with Session(engines.readonly) as session:
        assert session.scalar(select(func.count(Order.id))) == 4


def test_readonly_refuses():
    with engines.readonly.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text("INSERT INTO node (id) VALUES (1)"))


def test_rolled_back():
    with engines.primary.connect() as connection:
        connection.execute(text("DELETE FROM customer"))
        connection.execute(text("DROP TABLE watched"))
        connection.rollback()


def test_errors():
    with pytest.raises(IntegrityError), engines.primary.begin() as connection:
        connection.execute(text("INSERT INTO node (id) VALUES (1)"))
        connection.execute(text("INSERT INTO account (customer_id) VALUES (99)"))


def test_deferred_constraint_fails():
    with pytest.raises(IntegrityError), engines.primary.begin() as connection:
        connection.execute(text("INSERT INTO employee VALUES (2, 99)"))


def test_vacuum():
    run("DELETE FROM log")
    with engines.primary.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")


def test_tables_dropped_and_created_by_the_application():
    Base.metadata.drop_all(engines.primary)
    Base.metadata.create_all(engines.primary)


def test_driver_connection(connect):
    connection = connect()
    connection.executescript("DELETE FROM customer; CREATE TABLE later (id INTEGER)")
    connection.close()


def test_threads():
    def write(number):
        with Session(engines.primary) as session:
            session.add(Shop(name=f"thread {number}"))
            session.commit()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Session(engines.readonly) as session:
        assert session.scalar(select(func.max(Shop.id))) == 5


@pytest.mark.file
@pytest.mark.parametrize("end", ["COMMIT", "SELECT 1"])
def test_another_process_writes(dbguard_database, end):
    script = f"BEGIN; DELETE FROM customer; {end}"
    code = f"import os, sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript({script!r}); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, dbguard_database.url.database], check=True)


@pytest.mark.file
def test_another_process_changes_the_schema(dbguard_database):
    code = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript('DROP TABLE watched')"
    subprocess.run([sys.executable, "-c", code, dbguard_database.url.database], check=True)


@pytest.mark.dbguard(reset="none")
def test_nothing_to_clean():
    with Session(engines.readonly) as session:
        assert session.scalar(select(func.count(Shop.id))) == 1
