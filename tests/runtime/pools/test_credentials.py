"""A password that is rotated on the server is asked for again, and shows up nowhere."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from pytest_dbguard.runtime.pools.credentials import RotatingPassword, is_refusal
from pytest_dbguard.runtime.pools.queue_pool import AsyncGuardedQueuePool, GuardedQueuePool
from tests.runtime.faults.server import GUARDED

QUERY = text("SELECT current_user")


class Vault:
    """Where the password comes from."""

    def __init__(self, server):
        self._server = server
        self.asked = 0
        self.password = ""
        self.rotate("first-pw")

    def rotate(self, password, *, told=True):
        self._server.execute(f"ALTER ROLE {GUARDED} PASSWORD '{password}'")
        if told:
            self.password = password

    def __call__(self):
        self.asked += 1
        return self.password


@pytest.fixture
def vault(postgres):
    postgres.execute(f"DROP ROLE IF EXISTS {GUARDED}")
    postgres.execute(f"CREATE ROLE {GUARDED} LOGIN")
    yield Vault(postgres)
    postgres.terminate_all()
    postgres.execute(f"DROP ROLE {GUARDED}")


@pytest.fixture
def engine(postgres):
    made = create_engine(postgres.url.set(username=GUARDED), poolclass=GuardedQueuePool, pool_size=1)
    yield made
    made.dispose()


@pytest.fixture(params=["psycopg", "asyncpg"])
async def async_engine(request, postgres):
    url = postgres.url.set(drivername=f"postgresql+{request.param}", username=GUARDED)
    made = create_async_engine(url, poolclass=AsyncGuardedQueuePool, pool_size=1)
    yield made
    await made.dispose()


def user_of(engine):
    with engine.connect() as connection:
        return connection.scalar(QUERY)


def test_it_is_asked_for_when_a_connection_is_opened(engine, vault):
    RotatingPassword(vault).attach(engine)
    assert user_of(engine) == user_of(engine) == GUARDED
    assert vault.asked == 1
    vault.rotate("second-pw")
    engine.pool.drain()
    assert user_of(engine) == GUARDED
    assert vault.asked == 2


def test_one_that_is_kept_is_asked_for_again_when_it_is_refused(engine, vault, clock):
    RotatingPassword(vault, keep_s=900, clock=clock).attach(engine)
    assert user_of(engine) == GUARDED
    vault.rotate("second-pw")
    engine.dispose()
    assert user_of(engine) == GUARDED
    assert vault.asked == 2
    engine.dispose()
    assert user_of(engine) == GUARDED
    assert vault.asked == 2
    clock.move(900)
    engine.dispose()
    assert user_of(engine) == GUARDED
    assert vault.asked == 3


def test_one_that_stays_wrong_is_refused_once(engine, vault):
    RotatingPassword(vault).attach(engine)
    vault.rotate("nobody-knows-pw", told=False)
    with pytest.raises(DBAPIError) as caught:
        user_of(engine)
    assert vault.asked == 2
    assert "-pw" not in str(caught.value)
    assert engine.pool.stats.snapshot().in_use == 0


def test_another_failure_does_not_ask_again(postgres, vault):
    engine = create_engine(postgres.url.set(username=GUARDED, query={"host": "/nowhere"}), poolclass=GuardedQueuePool)
    RotatingPassword(vault).attach(engine)
    with pytest.raises(DBAPIError):
        user_of(engine)
    assert vault.asked == 1


def test_what_the_callable_raises_comes_through(engine, vault):
    def fail():
        raise LookupError("the vault is sealed")

    RotatingPassword(fail).attach(engine)
    with pytest.raises(LookupError, match="sealed"):
        user_of(engine)
    assert engine.pool.stats.snapshot().in_use == 0


def test_it_is_not_shown():
    secret = RotatingPassword(lambda: "first-pw", keep_s=10)
    assert secret.current() == "first-pw"
    assert "pw" not in repr(secret) + str(secret)


def test_many_that_are_refused_at_once_ask_once(clock):
    told = ["old", "new"]
    secret = RotatingPassword(lambda: told.pop(0), keep_s=900, clock=clock)
    used = [secret.current() for _ in range(3)]
    assert [secret.after_refusal(each) for each in used] == ["new"] * 3
    assert told == []


async def test_tasks_get_a_rotated_one(async_engine, vault, clock):
    RotatingPassword(vault, keep_s=900, clock=clock).attach(async_engine.sync_engine)
    for asked, password in ((1, "first-pw"), (2, "second-pw")):
        vault.rotate(password)
        await async_engine.dispose()
        async with async_engine.connect() as connection:
            assert await connection.scalar(QUERY) == GUARDED
        assert vault.asked == asked


async def test_one_that_must_be_awaited(async_engine, vault):
    async def fetch():
        await asyncio.sleep(0)
        return vault()

    RotatingPassword(fetch).attach(async_engine.sync_engine)
    async with async_engine.connect() as connection:
        assert await connection.scalar(QUERY) == GUARDED


@pytest.mark.parametrize("name", ["sqlstate", "pgcode"])
def test_refusals_are_told_by_their_code(name):
    def failure(code):
        error = Exception("in whatever language")
        setattr(error, name, code)
        return error

    assert is_refusal(failure("28P01"))
    assert is_refusal(failure("28000"))
    assert not is_refusal(failure("57P03"))


def test_a_refusal_without_a_code_is_told_by_its_text():
    assert is_refusal(Exception("FATAL:  password authentication failed for user"))
    assert not is_refusal(Exception("connection refused"))
