"""The rigs themselves: proxy, server, replica and TLS do what the tests of faults rely on."""

from __future__ import annotations

import contextlib
import select
import socket
import struct

import psycopg
import pytest

from pytest_dbguard.databases.connection_string import connection_string
from tests.runtime.waiting import WATCHDOG_S, eventually


def connect(url, **options):
    return psycopg.connect(connection_string(url), autocommit=True, **options)


@pytest.fixture
def led(postgres, proxy):
    """A proxy before the server, and a connection through it."""
    between = proxy(postgres)
    with contextlib.suppress(psycopg.Error), connect(between.url(postgres.url)) as connection:
        yield between, connection


def ask(connection):
    """Send a query; return a function that tells whether an answer comes within a time and takes it."""
    driver = connection.pgconn
    driver.send_query(b"SELECT 1")
    driver.flush()

    def answers(seconds):
        # psycopg's own `get_result` would wait inside of libpq, and keep the proxy's thread from running
        while driver.is_busy():
            if not select.select([driver.socket], [], [], seconds)[0]:
                return False
            driver.consume_input()
        while driver.get_result() is not None:
            pass
        return True

    return answers


def test_it_passes_on(led, postgres):
    between, connection = led
    assert connection.execute("SELECT 1").fetchone() == (1,)
    assert (between.open, between.accepted) == (1, 1)


def test_what_is_frozen_is_silent_and_goes_on_after(led):
    between, connection = led
    between.freeze()
    answers = ask(connection)
    assert not answers(0.2)
    between.ok()
    assert answers(WATCHDOG_S)


def test_frozen_it_accepts_connections_that_get_no_answer(led, postgres):
    between, _ = led
    between.freeze()
    with socket.create_connection(("127.0.0.1", between.port)) as client:
        client.sendall(struct.pack("!II", 8, 80877103))  # asks whether the server speaks TLS
        assert not select.select([client], [], [], 0.2)[0]
        between.ok()
        assert client.recv(1) == b"N"


def test_only_what_is_open_is_frozen(led, postgres):
    between, connection = led
    between.freeze_open()
    with connect(between.url(postgres.url)) as another:
        assert another.execute("SELECT 2").fetchone() == (2,)
    answers = ask(connection)
    assert not answers(0.2)
    between.ok()
    assert answers(WATCHDOG_S)


def test_what_is_reset_is_lost_until_it_is_ok(led, postgres):
    between, connection = led
    between.reset()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        connect(between.url(postgres.url))
    between.ok()
    with connect(between.url(postgres.url)) as another:
        assert another.execute("SELECT 2").fetchone() == (2,)


def test_refused_is_refused_on_the_same_port(led, postgres):
    between, connection = led
    between.refuse()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="refused"):
        connect(between.url(postgres.url))
    between.ok()
    connect(between.url(postgres.url)).close()


def test_delayed_answers_come(led):
    between, connection = led
    between.delay(0.5)
    answers = ask(connection)
    assert not answers(0.1)
    assert answers(WATCHDOG_S)


def test_a_cut_answer_is_lost_after_the_server_did_it(led, postgres):
    between, connection = led
    connection.execute("CREATE SEQUENCE cut_calls")
    try:
        between.cut_after(0)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT nextval('cut_calls')")
        assert postgres.scalar("SELECT is_called FROM cut_calls")
        connect(between.url(postgres.url)).close()
    finally:
        postgres.execute("DROP SEQUENCE cut_calls")


def test_an_answer_is_cut_in_its_middle(led):
    between, connection = led
    between.cut_after(1000)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT repeat('x', 5000)")


def test_it_leads_elsewhere(led, postgres, replica):
    between, connection = led
    assert not connection.execute("SELECT pg_is_in_recovery()").fetchone()[0]
    between.lead_to(replica.socket)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    with connect(between.url(postgres.url)) as another:
        assert another.execute("SELECT pg_is_in_recovery()").fetchone()[0]


def test_the_server_comes_back_where_it_was(postgres):
    url = postgres.url
    for end in (postgres.stop, postgres.crash):
        end()
        with pytest.raises(psycopg.OperationalError):
            connect(url)
        postgres.start()
        connect(url).close()


def test_all_sessions_are_ended(postgres):
    with contextlib.suppress(psycopg.Error), connect(postgres.url) as connection:
        assert postgres.terminate_all() >= 1
        with pytest.raises(psycopg.errors.AdminShutdown):
            connection.execute("SELECT 1")


def test_read_only_reaches_sessions_that_are_open(postgres):
    with connect(postgres.url) as connection:
        postgres.make_read_only()
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TABLE never (id int)")
        postgres.make_read_only(False)
        connection.execute("CREATE TEMP TABLE once (id int)")


def test_the_replica_follows_pauses_and_goes_on(postgres, replica):
    postgres.execute("CREATE TABLE followed (id int)")
    try:
        replica.catch_up()
        replica.pause()
        postgres.execute("INSERT INTO followed VALUES (1)")
        assert replica.scalar("SELECT count(*) FROM followed") == 0
        replica.resume()
        replica.catch_up()
        assert replica.scalar("SELECT count(*) FROM followed") == 1
        replica.stop()
        postgres.execute("INSERT INTO followed VALUES (2)")
        replica.start()
        replica.catch_up()
        assert replica.scalar("SELECT count(*) FROM followed") == 2
    finally:
        postgres.execute("DROP TABLE followed")


def test_a_promoted_replica_takes_writes_and_is_mended(postgres, replica):
    replica.promote()
    replica.execute("CREATE TABLE own (id int)")
    replica.mend()
    assert replica.scalar("SELECT pg_is_in_recovery()")
    assert replica.scalar("SELECT to_regclass('own')") is None


def test_tls_is_wanted_and_its_certificate_can_be_checked(tls_postgres):
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf"):
        connect(tls_postgres.tcp_url, sslmode="disable")
    checked = {"sslmode": "verify-full", "sslrootcert": str(tls_postgres.root_cert)}
    with connect(tls_postgres.tcp_url, **checked) as connection:
        assert connection.pgconn.ssl_in_use


def test_closing_ends_every_connection(proxy, postgres):
    between = proxy(postgres)
    with contextlib.suppress(psycopg.Error), connect(between.url(postgres.url)) as connection:
        between.freeze()
        between.close()
        between.close()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        eventually(lambda: not postgres.sessions(), "the end of the session behind the proxy")
