"""Counting statements: by shape and role, without values, bounded, right under threads, in forks and in tasks."""

from __future__ import annotations

import asyncio
import os
import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, create_engine, event, insert, select, text
from sqlalchemy.exc import DataError, IntegrityError, MissingGreenlet, OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool

from pytest_dbguard.runtime.events import Events
from pytest_dbguard.runtime.statistics import OWN, StatementStatistics

USERS = Table("users", MetaData(), Column("id", Integer, primary_key=True), Column("name", String, unique=True))


@pytest.fixture
def engine():
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    USERS.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def statistics(engine):
    statistics = StatementStatistics(Events())
    statistics.attach(engine, "primary", "primary")
    yield statistics
    assert statistics.faults == 0


def run(engine, *statements):
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


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


def test_no_literal_is_kept(engine, statistics):
    told = []
    statistics._events.subscribe("query", told.append)
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


def test_a_failed_statement_counts_as_call_and_error_with_its_kind(engine, statistics):
    run(engine, insert(USERS).values(name="ada"))
    for _ in range(2):
        with pytest.raises(IntegrityError):
            run(engine, insert(USERS).values(name="ada"))
    with pytest.raises(OperationalError):
        run(engine, text("SELECT nonsense FROM nowhere"))
    figures = statistics.roles()["primary"]
    assert (figures.calls, figures.errors) == (4, 3)
    assert figures.errors_by_kind == {"IntegrityError": 2, "OperationalError": 1}
    failing = next(shape for shape in statistics.shapes() if shape.sql.startswith("INSERT"))
    assert failing.error_rate == pytest.approx(2 / 3)


def test_kinds_of_errors_have_a_bound(engine, statistics):
    ledger = statistics._ledgers["primary"]
    run(engine, text("SELECT 1"))
    row = next(iter(ledger._shapes.values()))
    for number in range(200):
        ledger.add_error(row, f"Error{number}")
    kinds = statistics.roles()["primary"].errors_by_kind
    assert len(kinds) <= 51
    assert sum(kinds.values()) == 200
    assert kinds["other"] == 150


def test_a_connection_that_cannot_be_made_is_no_statement(statistics, tmp_path):
    broken = create_engine(f"sqlite:///{tmp_path}/no/such/directory/x.db")
    statistics.attach(broken, "analytics", "analytics")
    with pytest.raises(OperationalError):
        broken.connect()
    assert statistics.roles()["analytics"].calls == 0


def test_transactions_savepoints_and_own_statements_are_not_counted(engine, statistics):
    with engine.begin() as connection, connection.begin_nested():
        connection.execute(text(f"SELECT 1 {OWN}"))
        connection.execute(text(f"SELECT 1 {OWN}"))
    assert statistics.shapes() == ()
    assert statistics.roles()["primary"].calls == 0


def test_rows_are_counted_where_the_driver_tells(engine, statistics):
    run(engine, *(insert(USERS).values(name=name) for name in "abc"), USERS.update().values(name=USERS.c.name + "x"))
    update = next(shape for shape in statistics.shapes() if shape.sql.startswith("UPDATE"))
    assert update.rows == 3


def test_slow_statements_are_counted_and_told_only_above_the_limit(engine):
    events, told = Events(), {"query": [], "slow_query": []}
    for kind, heard in told.items():
        events.subscribe(kind, heard.append)
    slow, fast = (StatementStatistics(events, slow_ms=limit) for limit in (0.0, 1e6))
    slow.attach(engine, "readonly-1", "readonly")
    run(engine, text("SELECT 'value'"))
    assert slow.shapes()[0].slow == 1
    (event_,) = told["slow_query"]
    assert (event_.role, event_.target, event_.sql) == ("readonly", "readonly-1", "SELECT ?")
    assert told["query"] == [event_]
    slow.detach(engine)
    fast.attach(engine, "readonly-1", "readonly")
    run(engine, text("SELECT 'value'"))
    assert fast.shapes()[0].slow == 0
    assert (len(told["query"]), len(told["slow_query"])) == (2, 1)


def test_a_listener_that_raises_reaches_nobody(engine, statistics):
    def listener(event):
        raise RuntimeError

    statistics._events.subscribe("query", listener)
    run(engine, text("SELECT 1"))
    assert statistics._events.faults == 1
    assert statistics.roles()["primary"].calls == 1


def test_attaching_twice_counts_once_and_detaching_ends_it(engine, statistics):
    statistics.attach(engine, "primary", "primary")
    run(engine, text("SELECT 1"))
    statistics.detach(engine)
    statistics.detach(engine)
    run(engine, text("SELECT 1"))
    assert statistics.roles()["primary"].calls == 1


def test_shapes_have_a_bound_and_no_count_is_lost(engine):
    statistics = StatementStatistics(max_shapes=20)
    statistics.attach(engine, "primary", "primary")
    for number in range(300):
        run(engine, text(f"SELECT 1 AS column_{number}"))
        run(engine, select(USERS))
    shapes = statistics.shapes()
    assert len(shapes) <= 21
    assert sum(shape.calls for shape in shapes) == statistics.roles()["primary"].calls == 600
    # what takes most time is kept, and the rest told as one
    assert next(shape for shape in shapes if "FROM users" in shape.sql).calls == 300
    assert next(shape for shape in shapes if shape.shape_id == "other").calls >= 280


def test_a_shape_that_was_put_away_while_it_ran_counts_among_the_others(engine):
    statistics = StatementStatistics(max_shapes=1)
    statistics.attach(engine, "primary", "primary")
    run(engine, text("SELECT 1 AS one"))
    ledger = statistics._ledgers["primary"]
    (row,) = ledger._shapes.values()
    run(engine, text("SELECT 2 AS two"))
    ledger.add_error(row, "Late")
    other = next(shape for shape in statistics.shapes() if shape.shape_id == "other")
    assert (other.calls, other.errors) == (1, 1)


def test_texts_have_a_bound(engine, statistics):
    long = "x" * 50_000
    for number in range(200):
        run(engine, text(f"SELECT '{long}{number}'"))
    ledger = statistics._ledgers["primary"]
    assert sum(len(key) for key in ledger._keys) < 1_000_000
    (shape,) = statistics.shapes()
    assert (shape.calls, shape.sql) == (200, "SELECT ?")
    for number in range(12_000):
        ledger._read(f"SELECT {number}", f"SELECT {number}")
    assert len(ledger._keys) <= 5_000
    assert len(statistics.shapes()) == 1


def test_reset_forgets_counts_and_goes_on_counting(engine, statistics):
    run(engine, text("SELECT 1"))
    statistics.reset()
    assert statistics.shapes() == ()
    run(engine, text("SELECT 1"))
    assert statistics.roles()["primary"].calls == 1


def test_no_count_is_lost_under_threads(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/threads.db", pool_size=8)
    statistics = StatementStatistics(max_shapes=5)
    statistics.attach(engine, "primary", "primary")
    begin = threading.Barrier(8)

    def work(number):
        with engine.connect() as connection:
            begin.wait(30)
            for turn in range(200):
                connection.execute(text(f"SELECT 1 AS column_{(number + turn) % 15}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    engine.dispose()
    assert statistics.roles()["primary"].calls == 1600
    assert sum(shape.calls for shape in statistics.shapes()) == 1600
    assert statistics.faults == 0


def test_a_fork_begins_anew_though_a_lock_was_held(engine, statistics):
    run(engine, text("SELECT 1"))
    reader, writer = os.pipe()
    with statistics._lock, statistics._ledgers["primary"]._lock:
        child = os.fork()
        if child == 0:
            try:
                run(engine, text("SELECT 1"), text("SELECT 1"))
                os.write(writer, str(statistics.roles()["primary"].calls).encode())
            finally:
                os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        assert answer.read() == b"2"
    os.waitpid(child, 0)
    assert statistics.roles()["primary"].calls == 1


async def test_asynchronous_engines_are_counted(tmp_path):
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/async.db")
    statistics = StatementStatistics()
    statistics.attach(engine, "primary", "primary")

    async def work():
        async with engine.connect() as connection:
            await connection.execute(text("SELECT :value").bindparams(bindparam("value", 7)))

    await asyncio.gather(*(work() for _ in range(10)))
    statistics.detach(engine)
    await work()
    await engine.dispose()
    assert statistics.roles()["primary"].calls == 10
    assert statistics.faults == 0


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
async def test_a_cancelled_task_is_no_error_of_the_database(postgres, driver):
    engine = create_async_engine(postgres.url.set(drivername=f"postgresql+{driver}"))
    statistics = StatementStatistics()
    statistics.attach(engine, "primary", "primary")
    sent = asyncio.Event()
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *_: sent.set())

    async def work():
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_sleep(60)"))

    task = asyncio.create_task(work())
    await asyncio.wait_for(sent.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await engine.dispose()
    figures = statistics.roles()["primary"]
    assert (figures.calls, figures.errors, figures.cancelled, statistics.faults) == (1, 0, 1, 0)


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
async def test_errors_of_postgresql_are_told_by_their_sqlstate(postgres, driver):
    engine = create_async_engine(postgres.url.set(drivername=f"postgresql+{driver}"))
    statistics = StatementStatistics()
    statistics.attach(engine, "primary", "primary")
    async with engine.connect() as connection:
        with pytest.raises(ProgrammingError):
            await connection.execute(text("SELECT * FROM nowhere"))
    await engine.dispose()
    ((kind, count),) = statistics.roles()["primary"].errors_by_kind.items()
    assert (kind.split()[1], count) == ("42P01", 1)
    assert "UndefinedTable" in kind


def test_the_synchronous_driver_tells_rows_and_errors(postgres):
    engine = create_engine(postgres.url.set(drivername="postgresql+psycopg"))
    statistics = StatementStatistics()
    statistics.attach(engine, "primary", "primary")
    with engine.connect() as connection:
        connection.execute(text("SELECT * FROM generate_series(1, 7)")).all()
        with pytest.raises(DataError):
            connection.execute(text("SELECT 1 / 0"))
    engine.dispose()
    figures = statistics.roles()["primary"]
    assert (figures.rows, dict(figures.errors_by_kind)) == (7, {"DivisionByZero 22012": 1})


def test_asynchronous_code_that_cannot_wait_has_sent_nothing(tmp_path):
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/async.db")
    statistics = StatementStatistics()
    statistics.attach(engine, "primary", "primary")
    with pytest.raises(MissingGreenlet), engine.sync_engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    assert statistics.roles()["primary"].calls == 0
