"""Writes of every kind, each committed."""

from __future__ import annotations

import engines
import pytest
from models import Order, Shop
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


def run(*statements):
    with engines.primary.begin() as connection:
        return [connection.exec_driver_sql(statement.replace("%", "%%")) for statement in statements][-1]


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
    with engines.readonly.connect() as connection, pytest.raises(DBAPIError, match="read-only"):
        connection.execute(text("INSERT INTO node DEFAULT VALUES"))


def test_trigger():
    assert run("INSERT INTO customer (email, name) VALUES ('c@x', 'C') RETURNING id").scalar() == 3
    assert run("SELECT max(id) FROM audit.log").scalar() == 4


def test_function():
    assert run("SELECT add_customer('eve')").scalar() == 3
    assert run("SELECT nextval('ticket')").scalar() == 110


def test_procedure():
    with engines.primary.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CALL churn(7)"))
        assert connection.scalar(text("SELECT max(id) FROM node")) == 7


def test_do_block():
    run("DO $$ BEGIN EXECUTE 'INSERT INTO ' || 'stock.' || 'scratch' || $q$ VALUES ('k', 'v')$q$; END $$")


def test_merge():
    run(
        "MERGE INTO customer c USING (VALUES ('ada@example.org'), ('zoe@x')) v (email) ON c.email = v.email "
        "WHEN MATCHED THEN UPDATE SET name = 'merged' WHEN NOT MATCHED THEN INSERT (email, name) VALUES (v.email, 'Z')"
    )


def test_common_table_expression():
    run("WITH gone AS (DELETE FROM transfer RETURNING *) INSERT INTO node SELECT FROM gone")


def test_cascades():
    run("DELETE FROM customer WHERE id = 1")
    assert run("SELECT count(*) FROM transfer").scalar() == 0


def test_cascading_update():
    run("UPDATE customer SET id = id + 100")
    assert run("SELECT max(customer_id) FROM account").scalar() == 102


def test_seeds_changed():
    run("UPDATE shop SET name = 'x'", "UPDATE gap SET kept = NULL", "DELETE FROM stock.movement", "DELETE FROM lorry")


def test_seeds_changed_and_changed_back():
    run("UPDATE shop SET name = 'x'")
    run("UPDATE shop SET name = 'corner'")
    run("DELETE FROM gap")
    run("INSERT INTO gap VALUES (1, 'kept')")


def test_seeds_updated_to_what_they_are():
    run("UPDATE customer SET name = name", "UPDATE measurement SET value = value")


def test_seeds_deleted_with_ids_reused():
    run("DELETE FROM lorry", "INSERT INTO lorry VALUES (1, 'L-1', 1)")


def test_truncate():
    run("TRUNCATE customer, node, stock.item, department RESTART IDENTITY CASCADE")
    assert run("INSERT INTO customer (email, name) VALUES ('c@x', 'C') RETURNING id").scalar() == 1


def test_truncate_what_is_empty():
    run("TRUNCATE node RESTART IDENTITY")


def test_copy(admin):
    with admin.cursor().copy("COPY node (id) FROM STDIN") as copy:
        for number in range(500):
            copy.write_row([number])


def test_many_rows():
    run("INSERT INTO node SELECT FROM generate_series(1, 20000)")
    run("INSERT INTO stock.scratch SELECT n, repeat('x', 200) FROM generate_series(1, 20000) n")


def test_many_seeds_multiply():
    run("INSERT INTO lorry (plate) SELECT plate FROM lorry, generate_series(1, 6000)")


def test_circle():
    run(
        "INSERT INTO department (title, head_id) VALUES ('sales', 2)",
        "INSERT INTO employee (department_id, boss_id) VALUES (2, 1)",
        "UPDATE department SET head_id = 2",
    )


def test_tree():
    run("INSERT INTO node (id, parent_id) SELECT n, nullif(n - 1, 0) FROM generate_series(1, 50) n")
    run("DELETE FROM node WHERE id = 25")


def test_partitions():
    run("INSERT INTO measurement (day, city) VALUES ('2025-01-01', 'rome'), ('2030-01-01', 'x')")
    run("UPDATE measurement SET day = '2024-12-31' WHERE city = 'rome'")
    run("DELETE FROM measurement_rest")


def test_inheritance():
    run("INSERT INTO vehicle (plate) VALUES ('V-1')", "UPDATE vehicle SET plate = 'all'")


def test_only_a_sequence():
    assert run("SELECT nextval('unused_ticket')").scalar() == 1


def test_sequence_set():
    run("SELECT setval('ticket', 5000)", "SELECT setval('unused_ticket', 7, false)")


def test_sequence_set_to_uncalled():
    run("SELECT setval('ticket', 100, false)")


def test_cached_sequence():
    assert run("SELECT nextval('cached_ticket')").scalar() == 1
    with engines.primary.connect() as one, engines.primary.connect() as other:
        assert one.scalar(text("SELECT nextval('cached_ticket')")) != other.scalar(
            text("SELECT nextval('cached_ticket')")
        )


def test_sequence_downwards():
    assert [run("SELECT nextval('countdown')").scalar() for _ in range(3)] == [0, -1, -2]


def test_identity_and_generated():
    run("INSERT INTO account (id, customer_id, balance) OVERRIDING SYSTEM VALUE VALUES (50, 2, 7)")
    assert run("INSERT INTO account (customer_id, balance) VALUES (1, 4) RETURNING id, twice").one() == (3, 8)


def test_large_objects():
    run("SELECT lo_from_bytea(4711, repeat('x', 5000)::bytea)")


def test_odd_names():
    run('UPDATE "Odd %s Schema"."Strange "" % Täble" SET "select" = \'x\'')
    run('INSERT INTO "Odd %s Schema"."Strange "" % Täble" DEFAULT VALUES')


def test_table_with_a_rule():
    run("INSERT INTO undeletable (body) VALUES ('stays')", "DELETE FROM undeletable")


def test_table_with_a_trigger_that_always_acts():
    run("INSERT INTO watched (body) VALUES ('stays')")


def test_row_security():
    run(
        "INSERT INTO secret (owner) VALUES (current_user), ('else')", "DELETE FROM secret WHERE owner = 'somebody else'"
    )


def test_view():
    run("INSERT INTO rich (name, balance) VALUES ('Rich', 1000)")


def test_materialized_view():
    run("UPDATE account SET balance = 99", "REFRESH MATERIALIZED VIEW totals")


def test_materialized_view_concurrently(admin):
    admin.execute("UPDATE account SET balance = 99")
    admin.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY totals")


def test_materialized_view_unpopulated():
    run("REFRESH MATERIALIZED VIEW totals WITH NO DATA")


def test_everything_deleted_in_the_role_of_a_replica():
    run(
        "SET LOCAL session_replication_role = replica",
        *(f"DELETE FROM {table}" for table in ("customer", "account", "department", "stock.item", "audit.log", "shop")),
    )


def test_rolled_back():
    with engines.primary.connect() as connection:
        connection.execute(text("INSERT INTO node SELECT FROM generate_series(1, 100)"))
        connection.execute(text("TRUNCATE customer RESTART IDENTITY CASCADE"))
        connection.rollback()


def test_errors_within_savepoints():
    with engines.primary.begin() as connection:
        for _ in range(3):
            with pytest.raises(DBAPIError), connection.begin_nested():
                connection.execute(text("INSERT INTO customer (email, name) VALUES ('ada@example.org', 'A')"))
        connection.execute(text("INSERT INTO stock.item (name) VALUES ('kept')"))


def test_nothing():
    assert run("SELECT count(*) FROM customer").scalar() == 2
