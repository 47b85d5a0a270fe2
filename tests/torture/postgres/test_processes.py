"""Writes and transactions of other processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys

import engines
from mischief import COUNT, WRITE, keep
from models import Shop
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

CONNECT = "import psycopg, sys; connection = psycopg.connect(sys.argv[1]); "
CHANGE = "connection.execute(\"UPDATE customer SET name = 'elsewhere'\"); connection.execute('TRUNCATE node'); "
WAIT = "print('ready', flush=True); sys.stdin.read()"


def start(dsn, code):
    """Start a program that says when it is ready, and ends when this process does."""
    command = [sys.executable, "-c", CONNECT + code, dsn]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = keep(subprocess.Popen(command, **pipes))
    assert process.stdout.readline() == b"ready\n"
    return process


def test_another_process_writes(dsn):
    subprocess.run([sys.executable, "-c", CONNECT + CHANGE + "connection.commit()", dsn], check=True)


def test_leaks_transaction_of_another_process(dsn):
    start(dsn, CHANGE + WAIT)


def test_another_process_stays_connected(dsn):
    start(dsn, CHANGE + "connection.commit(); " + WAIT)


def test_another_process_is_killed(dsn):
    process = start(dsn, CHANGE + WAIT)
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
        connection.execute(WRITE)
        process = multiprocessing.get_context("fork").Process(target=_forked, args=(dbguard_database.url,))
        process.start()
        process.join()
        assert process.exitcode == 0
        connection.commit()
    with engines.readonly.connect() as connection:
        assert connection.scalar(COUNT) == 2
