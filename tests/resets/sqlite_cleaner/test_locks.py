"""A lock that a test has left on an SQLite database is ended, or told of: cleaning never hangs."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from contextlib import closing

import aiosqlite
import pytest

from pytest_dbguard.core.errors import DatabaseError

HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.executescript("BEGIN IMMEDIATE; INSERT INTO item (name) VALUES ('held')")
print("held", flush=True)
sys.stdin.readline()
try:
    connection.execute("COMMIT")
    connection.execute("INSERT INTO item (name) VALUES ('late')")
finally:
    print("ended", flush=True)
"""


def names(world):
    with closing(world.connect()) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM item ORDER BY id")]


def test_a_transaction_left_open_is_ended(today):
    connection = today.connect()
    connection.execute("BEGIN")
    connection.execute("INSERT INTO item (name) VALUES ('left')")
    outcome = today.cleaner.clean()
    assert [leak.message for leak in outcome.leaks] == ["a connection with an open transaction"]
    assert not connection.in_transaction
    today.assert_cleans()


def test_an_unfinished_statement_is_ended_where_it_holds_a_lock(today):
    today.write("INSERT INTO item (name) VALUES ('new')")
    connection = today.connect()
    cursor = connection.execute("SELECT * FROM item")
    assert cursor.fetchone()
    assert today.assert_cleans().did == "emptied"


def test_readers_of_a_file_may_go_on(make_world):
    world = make_world("file")
    world.write("DROP TABLE plain; INSERT INTO item (name) VALUES ('new')")
    connection = world.connect()
    connection.execute("BEGIN")
    cursor = connection.execute("SELECT name FROM item ORDER BY id")
    assert cursor.fetchone() == ("bread",)
    assert world.cleaner.clean().did == "swapped"
    assert [name for (name,) in cursor] == ["wine", "saffron", "new"]
    assert world.time.now == 100.0
    connection.execute("ROLLBACK")
    world.assert_cleans()


@pytest.mark.parametrize("script", ["INSERT INTO item (name) VALUES ('left')", "DROP TABLE item"])
def test_a_lock_that_the_whole_copy_meets_is_ended_too(today, script):
    today.write("DROP TABLE plain")
    connection = today.connect()
    connection.execute("BEGIN")
    connection.execute(script)
    assert today.cleaner.swap("asked for").did == "swapped"
    today.assert_cleans()


def test_a_connection_that_keeps_its_lock_is_closed_in_the_end(make_world):
    world = make_world("memory")
    connection = world.connect()
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("INSERT INTO item (name) VALUES ('left')")
    assert world.assert_cleans().did == "emptied"
    assert world.ledger.let_go_of == 1
    assert world.time.now < 102


def test_what_nobody_can_reach_any_more_ends_without_being_a_leak(today):
    def leave_in_a_circle():
        connection = today.connect()
        today.opened.remove(connection)
        circle = [connection]
        circle.append(circle)
        connection.execute("BEGIN IMMEDIATE")

    gc.disable()
    try:
        leave_in_a_circle()
        assert today.cleaner.clean().leaks == ()
    finally:
        gc.enable()
    today.assert_cleans()


def test_databases_of_others_are_left_alone(make_world, tmp_path):
    world, other = make_world("memory"), make_world("memory")
    foreign = other.connect()
    foreign.execute("BEGIN IMMEDIATE")
    leaking = world.connect()
    leaking.execute("BEGIN IMMEDIATE")
    world.assert_cleans()
    assert (foreign.in_transaction, leaking.in_transaction) == (True, False)


def test_a_raw_asynchronous_connection_is_ended_in_its_thread(today):
    address, is_uri = today.address()

    async def leave():
        connection = await aiosqlite.connect(address, uri=is_uri, isolation_level=None)
        await connection.execute("BEGIN")
        await connection.execute("INSERT INTO item (name) VALUES ('left')")
        outcome = today.assert_cleans()
        assert [leak.message for leak in outcome.leaks] == ["a connection with an open transaction"]
        assert not connection.in_transaction
        await connection.execute("INSERT INTO item (name) VALUES ('new')")
        assert today.assert_cleans().dirty == ("item",)
        await connection.close()

    asyncio.run(leave())


class Thread:
    """A thread with a connection that only itself may use, and a transaction open on it."""

    def __init__(self, world):
        self._ready, self._end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(world,))
        self._thread.start()
        self._ready.wait()

    def _run(self, world):
        with closing(world.connect()) as connection:
            world.opened.remove(connection)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO item (name) VALUES ('left')")
            self._ready.set()
            self._end.wait()

    def end(self):
        self._end.set()
        self._thread.join()


def test_another_thread_that_holds_a_database_in_memory_is_told_of(make_world):
    world = make_world("memory")
    thread = Thread(world)
    for act in (world.cleaner.clean, lambda: world.cleaner.swap("asked for"), lambda: world.cleaner.set_aside("x")):
        start = world.time.now
        with pytest.raises(DatabaseError) as caught:
            act()
        assert "holds a lock on 'sqlite:///" in str(caught.value)
        assert 2.0 <= world.time.now - start < 2.1
    assert world.cleaner.is_dirty()
    thread.end()
    world.assert_cleans()


def test_who_lets_go_in_time_is_waited_for(make_world):
    world = make_world("memory")
    thread = Thread(world)
    sleep = world.time.sleep
    world.cleaner._sleep = lambda seconds: (thread.end(), sleep(seconds))
    assert world.cleaner.clean().did == "nothing"
    world.assert_cleans()


def test_a_locked_file_is_replaced(make_world):
    world = make_world("file")
    thread = Thread(world)
    outcome = world.cleaner.clean()
    assert (outcome.did, outcome.reason) == ("swapped", "another connection holds a lock on it")
    assert "got a new file" in outcome.warnings[0]
    assert world.ledger.let_go_of >= 1
    world.assert_cleans()
    thread.end()
    world.assert_cleans()


def test_a_process_that_holds_a_file_cannot_write_to_the_new_one(make_world):
    world = make_world("file")
    assert world.cleaner.keep("fixture") is False
    world.write("INSERT INTO item (name) VALUES ('kept')")
    assert world.cleaner.keep("fixture") is True
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, world.database.url.database],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        assert world.cleaner.clean().did == "swapped"
        assert names(world) == ["bread", "wine", "saffron", "kept"]
        holder.stdin.write("\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "ended\n"
    assert names(world) == ["bread", "wine", "saffron", "kept"]
    world.cleaner.forget("fixture")
    world.assert_cleans()


def test_what_another_process_has_committed_is_undone(make_world):
    world = make_world("file")
    script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('DELETE FROM item'); c.commit()"
    subprocess.run([sys.executable, "-c", script, world.database.url.database], check=True)
    assert names(world) == []
    assert world.assert_cleans().dirty == ("item",)


def test_a_fixture_of_wider_scope_keeps_its_transaction_and_is_named(today):
    connection = today.connect()
    today.ledger.wide[id(connection)] = "fixture 'shop'"
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO item (name) VALUES ('left')")
    with pytest.raises(DatabaseError) as caught:
        today.cleaner.clean()
    assert str(caught.value).startswith("fixture 'shop' holds a lock on 'sqlite:///")
    assert connection.in_transaction
    with pytest.raises(DatabaseError, match="fixture 'shop' holds a lock"):
        today.cleaner.swap("asked for")
    connection.execute("ROLLBACK")
    today.assert_cleans()
