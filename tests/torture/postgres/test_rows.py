"""Writes of every kind that PostgreSQL has, each committed."""

from __future__ import annotations

import engines
from mischief import write
from sqlalchemy import text


def test_function():
    assert write("SELECT add_customer('eve')") == [(3,)]
    assert write("SELECT nextval('ticket')") == [(110,)]


def test_procedure():
    with engines.primary.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CALL churn(7)"))
        assert connection.scalar(text("SELECT max(id) FROM node")) == 7


def test_do_block():
    write("DO $$ BEGIN EXECUTE 'INSERT INTO ' || 'stock.' || 'scratch' || $q$ VALUES ('k', 'v')$q$; END $$")


def test_merge():
    write(
        "MERGE INTO customer c USING (VALUES ('ada@example.org'), ('zoe@x')) v (email) ON c.email = v.email "
        "WHEN MATCHED THEN UPDATE SET name = 'merged' WHEN NOT MATCHED THEN INSERT (email, name) VALUES (v.email, 'Z')"
    )


def test_common_table_expression():
    write("WITH gone AS (DELETE FROM transfer RETURNING *) INSERT INTO node SELECT FROM gone")


def test_seeds_changed():
    write("UPDATE shop SET name = 'x'", "UPDATE gap SET kept = NULL", "DELETE FROM stock.movement", "DELETE FROM lorry")


def test_seeds_deleted_and_put_back():
    write("DELETE FROM gap")
    write("INSERT INTO gap VALUES (1, 'kept')")


def test_seeds_updated_to_what_they_are():
    write("UPDATE customer SET name = name", "UPDATE measurement SET value = value")


def test_seeds_deleted_with_ids_reused():
    write("DELETE FROM lorry", "INSERT INTO lorry VALUES (1, 'L-1', 1)")


def test_truncate():
    write("TRUNCATE customer, node, stock.item, department RESTART IDENTITY CASCADE")
    assert write("INSERT INTO customer (email, name) VALUES ('c@x', 'C') RETURNING id") == [(1,)]


def test_truncate_what_is_empty():
    write("TRUNCATE node RESTART IDENTITY")


def test_copy(admin):
    with admin.cursor().copy("COPY node (id) FROM STDIN") as copy:
        for number in range(500):
            copy.write_row([number])


def test_many_rows():
    write("INSERT INTO node SELECT FROM generate_series(1, 20000)")
    write("INSERT INTO stock.scratch SELECT n, repeat('x', 200) FROM generate_series(1, 20000) n")


def test_many_seeds_multiply():
    write("INSERT INTO lorry (plate) SELECT plate FROM lorry, generate_series(1, 6000)")


def test_circle():
    write(
        "INSERT INTO department (title, head_id) VALUES ('sales', 2)",
        "INSERT INTO employee (department_id, boss_id) VALUES (2, 1)",
        "UPDATE department SET head_id = 2",
    )


def test_partitions():
    write("INSERT INTO measurement (day, city) VALUES ('2025-01-01', 'rome'), ('2030-01-01', 'x')")
    write("UPDATE measurement SET day = '2024-12-31' WHERE city = 'rome'")
    write("DELETE FROM measurement_rest")


def test_inheritance():
    write("INSERT INTO vehicle (plate) VALUES ('V-1')", "UPDATE vehicle SET plate = 'all'")


def test_only_a_sequence():
    assert write("SELECT nextval('unused_ticket')") == [(1,)]


def test_sequence_set():
    write("SELECT setval('ticket', 5000)", "SELECT setval('unused_ticket', 7, false)")


def test_sequence_set_to_uncalled():
    write("SELECT setval('ticket', 100, false)")


def test_cached_sequence():
    assert write("SELECT nextval('cached_ticket')") == [(1,)]
    with engines.primary.connect() as one, engines.primary.connect() as other:
        assert one.scalar(text("SELECT nextval('cached_ticket')")) != other.scalar(
            text("SELECT nextval('cached_ticket')")
        )


def test_sequence_downwards():
    assert [write("SELECT nextval('countdown')") for _ in range(3)] == [[(0,)], [(-1,)], [(-2,)]]


def test_identity_and_generated():
    write("INSERT INTO account (id, customer_id, balance) OVERRIDING SYSTEM VALUE VALUES (50, 2, 7)")
    assert write("INSERT INTO account (customer_id, balance) VALUES (1, 4) RETURNING id, twice") == [(3, 8)]


def test_large_objects():
    write("SELECT lo_from_bytea(4711, repeat('x', 5000)::bytea)")


def test_odd_names():
    write('UPDATE "Odd %s Schema"."Strange "" % Täble" SET "select" = \'x\'')
    write('INSERT INTO "Odd %s Schema"."Strange "" % Täble" DEFAULT VALUES')


def test_table_with_a_rule():
    write("INSERT INTO undeletable (body) VALUES ('stays')", "DELETE FROM undeletable")


def test_row_security():
    write(
        "INSERT INTO secret (owner) VALUES (current_user), ('else')", "DELETE FROM secret WHERE owner = 'somebody else'"
    )


def test_materialized_view():
    write("UPDATE account SET balance = 99", "REFRESH MATERIALIZED VIEW totals")


def test_materialized_view_concurrently(admin):
    admin.execute("UPDATE account SET balance = 99")
    admin.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY totals")


def test_materialized_view_unpopulated():
    write("REFRESH MATERIALIZED VIEW totals WITH NO DATA")


def test_everything_deleted_in_the_role_of_a_replica():
    write(
        "SET LOCAL session_replication_role = replica",
        *(f"DELETE FROM {table}" for table in ("customer", "account", "department", "stock.item", "audit.log", "shop")),
    )


def test_rolled_back():
    with engines.primary.connect() as connection:
        connection.execute(text("INSERT INTO node SELECT FROM generate_series(1, 100)"))
        connection.execute(text("TRUNCATE customer RESTART IDENTITY CASCADE"))
        connection.rollback()
