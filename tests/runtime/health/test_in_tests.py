"""Health where a project's own tests ask for it: their transaction and their database stay what they were."""

from __future__ import annotations

import pytest

from tests.runtime.service.test_fixtures import CONFTEST

PROJECT = """
    import pytest
    from conftest import COUNT, Item

    @pytest.mark.parametrize("turn", range(2))
    def test_sync(dbguard_service, turn):
        with dbguard_service.client() as session:
            session.add(Item(name="new"))
            session.flush()
            health = dbguard_service.health()
            assert (health.status, health.reason) == ("healthy", "")
            assert dbguard_service.ready().ok
            assert session.scalar(COUNT) == 2
            session.commit()
        assert dbguard_service.health().ok
        with dbguard_service.client() as session:
            assert session.scalar(COUNT) == 2

    @pytest.mark.parametrize("turn", range(2))
    async def test_async(dbguard_service, turn):
        async with dbguard_service.client() as session:
            session.add(Item(name="new"))
            await session.flush()
            health = await dbguard_service.health_async()
            assert (health.status, health.reason) == ("healthy", "")
            assert await session.scalar(COUNT) == 2
            await session.commit()
        assert (await dbguard_service.ready_async()).ok
        async with dbguard_service.client() as session:
            assert await session.scalar(COUNT) == 2

    def test_without_it(dbguard_session):
        assert dbguard_session.scalar(COUNT) == 1
"""


@pytest.mark.parametrize("database", ["sqlite", "postgres-embedded"])
@pytest.mark.parametrize("reset", ["committed", "rollback"])
def test_asking_disturbs_no_test(pytester, database, reset):
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(PROJECT)
    arguments = ("--dbguard-database", database, "--dbguard-reset", reset, "-W", "error")
    pytester.runpytest_subprocess(*arguments).assert_outcomes(passed=5)
