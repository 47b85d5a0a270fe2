"""The fixtures of the service in projects of their own: every role on the database, and clean after each test."""

from __future__ import annotations

import pytest

DATABASES = ["sqlite", "postgres-embedded"]

CONFTEST = """
import pytest
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

@pytest.fixture(scope="session")
def dbguard_metadata():
    return Base.metadata

@pytest.fixture(scope="session")
def dbguard_seed():
    return lambda session: session.add(Item(name="seed"))

COUNT = text("SELECT count(*) FROM item")
"""

ROLES = """
import pytest
from conftest import COUNT, Item
from pytest_dbguard.runtime import get_database_service
from sqlalchemy.exc import DBAPIError

turns = pytest.mark.parametrize("turn", range(2))

@turns
def test_sync(dbguard_service, dbguard_session, turn):
    assert get_database_service() is dbguard_service
    with dbguard_service.client() as session:
        session.add(item := Item(name="new"))
        session.commit()
        assert item.id == 2
    for role in (dbguard_service.readonly(), dbguard_service.analytics(), dbguard_service.routed()):
        with role as session:
            assert session.scalar(COUNT) == 2
    assert dbguard_session.scalar(COUNT) == 2
    with dbguard_service.routed() as session:
        session.add(Item(name="routed"))
        session.commit()
        assert session.scalar(COUNT) == 3

@turns
async def test_async(dbguard_service, turn):
    async with dbguard_service.client() as session:
        session.add(item := Item(name="new"))
        await session.commit()
        assert item.id == 2
    if not ROLLS_BACK:
        for role in (dbguard_service.readonly(), dbguard_service.analytics(), dbguard_service.routed()):
            async with role as session:
                assert await session.scalar(COUNT) == 2

@pytest.mark.parametrize("role", ["readonly", "analytics"])
def test_cannot_write(dbguard_service, role):
    with getattr(dbguard_service, role)() as session, pytest.raises(DBAPIError):
        session.add(Item(name="new"))
        session.commit()

@pytest.mark.parametrize("role", ["readonly", "analytics"])
async def test_cannot_write_async(dbguard_service, role):
    async with getattr(dbguard_service, role)() as session:
        with pytest.raises(DBAPIError):
            session.add(Item(name="new"))
            await session.commit()

@turns
def test_starts_anew(dbguard_service, turn):
    for number in range(3):
        with dbguard_service, dbguard_service.client() as session:
            session.add(item := Item(name="new"))
            session.commit()
            assert item.id == number + 2

@turns
def test_is_a_new_one(dbguard_service, turn):
    assert dbguard_service.state == "new"
    assert dbguard_service.performance_summary().by_calls == ()
    with dbguard_service.client() as session:
        session.scalar(COUNT)
    assert dbguard_service.metrics().pools["primary"].in_use == 0

def test_without_it(dbguard_session):
    assert dbguard_session.scalar(COUNT) == 1
"""


@pytest.fixture
def project(pytester):
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makeconftest(CONFTEST)

    def run(test, *arguments, tests=1, **outcomes):
        pytester.makepyfile(test)
        result = pytester.runpytest_subprocess(*arguments)
        result.assert_outcomes(**(outcomes or {"passed": tests}))
        return result

    return run


@pytest.mark.parametrize(
    ("database", "reset", "workers"),
    [
        ("sqlite", "committed", ()),
        ("sqlite", "rollback", ("-n2",)),
        ("postgres-embedded", "committed", ("-n2",)),
        ("postgres-embedded", "rollback", ()),
        ("postgres-embedded", "clone", ()),
    ],
)
def test_every_role_leads_to_the_tests_database(project, database, reset, workers):
    test = ROLES.replace("ROLLS_BACK", str(reset == "rollback"))
    project(test, "--dbguard-database", database, "--dbguard-reset", reset, "-W", "error", *workers, tests=13)


def test_a_moved_clock_makes_connections_old(project, pytester):
    pytester.makepyprojecttoml("[tool.dbguard.runtime]\npool = { max_lifetime_s = 1800.0 }")
    test = """
    from conftest import COUNT

    def test_it(dbguard_service, dbguard_clock):
        for _ in range(2):
            with dbguard_service.client() as session:
                assert session.scalar(COUNT) == 1
        assert dbguard_service.metrics().pools["primary"].connected == 1
        dbguard_clock.move(24 * 3600)
        with dbguard_service.client() as session:
            assert session.scalar(COUNT) == 1
        assert dbguard_service.metrics().pools["primary"].connected == 2
    """
    project(test, "--dbguard-database", "postgres-embedded")


def test_the_projects_settings_are_used_but_no_variables(project, pytester, monkeypatch):
    monkeypatch.setenv("DBGUARD_RUNTIME_URL", "postgresql://db.shop.example/shop")
    monkeypatch.setenv("DBGUARD_RUNTIME_APP", "from-the-environment")
    pytester.makepyprojecttoml("""
    [tool.dbguard.runtime]
    url = "postgresql://db.shop.example/shop"
    app = "shop"
    pool = { size = 7 }
    roles = { readonly = { replicas = ["postgresql://one.shop.example/shop", "postgresql://two.shop.example/shop"] } }

    [tool.dbguard.runtime.test]
    pool = { overflow = 3 }
    """)
    test = """
    from conftest import COUNT

    def test_it(dbguard_service):
        settings = dbguard_service.settings
        assert (settings.profile, settings.app, settings.pool.size, settings.pool.overflow) == ("test", "shop", 7, 3)
        assert not settings.backup.enabled and not settings.monitoring.enabled
        assert [target.name for target in settings.targets()] == ["primary", "readonly-1", "analytics"]
        for role in (dbguard_service.client(), dbguard_service.readonly(), dbguard_service.analytics()):
            with role as session:
                assert session.scalar(COUNT) == 1
    """
    project(test)


def test_the_settings_may_be_others(project):
    test = """
    import pytest

    @pytest.fixture(scope="session")
    def dbguard_runtime_settings(dbguard_runtime_settings):
        from pytest_dbguard.runtime import DatabaseSettings

        return DatabaseSettings(profile="development", url="sqlite:///development.db")

    def test_it(dbguard_service):
        assert dbguard_service.settings.profile == "development"
        dbguard_service.start()
        assert dbguard_service.manager.checker.is_running
    """
    project(test)


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("reset", ["committed", "rollback"])
def test_what_a_test_leaves_open_is_told(project, database, reset):
    test = """
    from conftest import COUNT, Item

    kept = []

    def test_leaves_it_open(dbguard_service):
        session = dbguard_service.client().session()
        session.add(Item(name="new"))
        session.flush()
        kept.append(session)

    def test_next(dbguard_service):
        with dbguard_service.client() as session:
            assert session.scalar(COUNT) == 1
    """
    arguments = ("--dbguard-database", database, "--dbguard-reset", reset)
    result = project(test, *arguments, passed=2, warnings=1)
    result.stdout.fnmatch_lines(["*LeakWarning: *leaves a session*", "*test_*.py:* in test_leaves_it_open"])


def test_the_service_of_the_process_comes_back(project):
    test = """
    from pytest_dbguard.runtime import DatabaseService, DatabaseSettings, get_database_service, set_database_service

    own = DatabaseService(DatabaseSettings(url="sqlite:///own.db"))
    set_database_service(own)

    def test_replaced(dbguard_service):
        assert get_database_service() is dbguard_service

    def test_back():
        assert get_database_service() is own
        assert own.state == "new"
    """
    project(test, tests=2)
