"""Which statements are counted together: by shape and role, without values."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine, event, insert, select, text

from tests.runtime.statistics.statements import USERS, run


def test_executions_of_one_shape_are_counted_together(engine, statistics):
    run(engine, select(USERS).where(USERS.c.id == 1), select(USERS).where(USERS.c.id == 2))
    (shape,) = statistics.shapes()
    assert (shape.role, shape.calls, shape.errors) == ("primary", 2, 0)
    assert shape.sql == "SELECT users.id, users.name FROM users WHERE users.id = ?"
    assert 0 < shape.mean_ms <= shape.max_ms <= shape.total_ms
    assert shape.mean_ms == pytest.approx(shape.total_ms / 2)


def test_durations_are_kept_in_buckets(engine, statistics):
    ledger = statistics._ledgers["primary"]
    context = SimpleNamespace(compiled=None)
    for seconds in (0.001, 0.0011, 0.04, 11.0):
        ledger.add(context, "SELECT 1", int(seconds * 1e9), 0, False)
    (shape,) = statistics.shapes()
    assert shape.durations.counts == (1, 1, 0, 1, 0, 0, 0, 0, 0, 1)
    assert shape.durations.at_most_s(0.5) == 0.005
    assert shape.durations.total_s == pytest.approx(shape.total_ms / 1e3)
    assert statistics.roles()["primary"].durations == shape.durations


def test_the_shape_has_the_id_that_tests_give_it(engine, statistics):
    from pytest_dbguard.sql.shape import read_statement

    run(engine, text("SELECT name FROM users WHERE id = 17"))
    (shape,) = statistics.shapes()
    assert shape.shape_id == read_statement("SELECT name FROM users WHERE id = 18").shape.id


def test_no_literal_is_kept(engine, statistics, events):
    told = []
    events.subscribe("query", told.append)
    run(engine, text("SELECT * FROM users WHERE name = 'secret-name' OR id IN (12345, 67890) -- secret-comment"))
    (shape,) = statistics.shapes()
    seen = repr((shape, told, statistics.roles()))
    assert "users" in seen
    assert not any(word in seen for word in ("secret-name", "12345", "67890", "secret-comment"))


def test_lists_of_any_length_are_one_shape(engine, statistics):
    for length in (1, 2, 30):
        run(engine, select(USERS).where(USERS.c.id.in_(range(length))))
    run(engine, text("SELECT * FROM users WHERE id IN (1)"), text("SELECT * FROM users WHERE id IN (1, 2, 3)"))
    assert sorted(shape.calls for shape in statistics.shapes()) == [2, 3]


def test_a_bulk_insert_is_one_shape_whatever_its_size(engine, statistics):
    with engine.begin() as connection:
        for first, rows in ((0, 3), (10, 5), (20, 1)):
            values = [{"name": str(first + row)} for row in range(rows)]
            connection.execute(insert(USERS).returning(USERS.c.id), values).all()
    shapes = {shape.sql for shape in statistics.shapes()}
    assert shapes == {"INSERT INTO users (name) VALUES (?) RETURNING id"}


def test_comments_that_a_listener_adds_do_not_multiply_shapes(engine, statistics):
    numbers = iter(range(100))

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def comment(connection, cursor, statement, parameters, context, executemany):
        return f"{statement} /* trace={next(numbers)} */", parameters

    for _ in range(5):
        run(engine, select(USERS))
    (shape,) = statistics.shapes()
    assert shape.calls == 5
    assert "trace" not in shape.sql


def test_schemas_of_tenants_are_told_apart(engine, statistics):
    with engine.connect() as connection:
        connection.exec_driver_sql("ATTACH ':memory:' AS acme")
        connection.exec_driver_sql("CREATE TABLE acme.users (id INTEGER, name TEXT)")
        for schema in ("main", "acme", "acme"):
            options = {"schema_translate_map": {None: schema}}
            connection.execute(select(USERS), execution_options=options).all()
    calls = {shape.sql: shape.calls for shape in statistics.shapes() if shape.sql.startswith("SELECT")}
    assert [calls[sql] for sql in sorted(calls)] == [2, 1]
    assert [("acme." in sql, "main." in sql) for sql in sorted(calls)] == [(True, False), (False, True)]


def test_roles_are_counted_apart_and_replicas_together(engine, statistics):
    others = [create_engine("sqlite://"), create_engine("sqlite://")]
    for number, other in enumerate(others, 1):
        statistics.attach(other, f"readonly-{number}", "readonly")
        run(other, text("SELECT 1"))
    run(engine, text("SELECT 2"))
    assert {role: figures.calls for role, figures in statistics.roles().items()} == {"primary": 1, "readonly": 2}
    assert [shape.role for shape in statistics.shapes("readonly")] == ["readonly"]
    assert len(statistics.shapes()) == 2


def test_rows_are_counted_where_the_driver_tells(engine, statistics):
    run(engine, *(insert(USERS).values(name=name) for name in "abc"), USERS.update().values(name=USERS.c.name + "x"))
    update = next(shape for shape in statistics.shapes() if shape.sql.startswith("UPDATE"))
    assert update.rows == 3
