"""One embedded PostgreSQL for the tests that need a running server, and a way to run code as somebody else."""

from __future__ import annotations

import multiprocessing
import os

import pytest

from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.databases.server_user import server_user


@pytest.fixture(scope="session")
def postgres():
    """A database on an embedded server that the tests share."""
    database = load_provider("postgres-embedded").start()
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request):
    """An empty database of each kind."""
    if request.param == "postgres":
        yield request.getfixturevalue("postgres")
        return
    database = load_provider("sqlite").start()
    yield database
    database.close()


@pytest.fixture
def unprivileged():
    """Run a function in a forked child that is not root, and return what it returns or raise what it raised."""

    def child(function, queue):
        try:
            if os.geteuid() == 0:
                user = server_user(("nobody",))
                os.setgroups([])
                os.setgid(user.gid)
                os.setuid(user.uid)
            queue.put((True, function()))
        except BaseException as error:
            queue.put((False, repr(error)))

    def run(function):
        context = multiprocessing.get_context("fork")
        queue = context.SimpleQueue()
        process = context.Process(target=child, args=(function, queue))
        process.start()
        good, result = queue.get()
        process.join()
        assert good, result
        return result

    return run
