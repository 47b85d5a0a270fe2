"""Writes and transactions of other processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys

import engines
from models import Shop
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

KEPT: list[subprocess.Popen] = []
CONNECT = "import psycopg, sys; connection = psycopg.connect(sys.argv[1]); "
WRITE = "connection.execute(\"UPDATE customer SET name = 'elsewhere'\"); connection.execute('TRUNCATE node'); "
WAIT = "print('ready', flush=True); sys.stdin.read()"


def start(dsn, code):
    """Start a program that says when it is ready, and ends when this process does."""
    process = subprocess.Popen(
        [sys.executable, "-c", CONNECT + code, dsn],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    KEPT.append(process)
    assert process.stdout.readline() == b"ready\n"
    return process


def test_another_process_writes(dsn):
    subprocess.run([sys.executable, "-c", CONNECT + WRITE + "connection.commit()", dsn], check=True)


def test_leaks_transaction_of_another_process(dsn):
    start(dsn, WRITE + WAIT)


def test_another_process_stays_connected(dsn):
    start(dsn, WRITE + "connection.commit(); " + WAIT)


def test_another_process_is_killed(dsn):
    process = start(dsn, WRITE + WAIT)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _forked(url):
    engine = create_engine(url)
    with Session(engine) as session:
        session.add(Shop(name="forked"))
        session.commit()
    os._exit(0)


def test_forked_process(dbguard_database):
    with engines.primary.connect() as connection:
        connection.execute(text("INSERT INTO node DEFAULT VALUES"))
        process = multiprocessing.get_context("fork").Process(target=_forked, args=(dbguard_database.url,))
        process.start()
        process.join()
        assert process.exitcode == 0
        connection.commit()
    with engines.readonly.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM shop")) == 2
