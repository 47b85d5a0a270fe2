"""What fixtures of wider scope commit: there for all of their tests, and gone afterwards."""

from __future__ import annotations

import pytest

from tests.testing.test_fixtures import DATABASES, Shop
from tests.testing.test_resets import run


@pytest.fixture
def shop(pytester):
    return Shop(pytester)


WIDE = """
@pytest.fixture(scope="session")
def everywhere(dbguard_engine):
    return add(dbguard_engine, "everywhere")


@pytest.fixture(scope="class")
def here(dbguard_engine, everywhere):
    add(dbguard_engine, "here")
    yield
    with dbguard_engine.begin() as connection:
        connection.execute(text("DELETE FROM author WHERE name = 'here'"))


class TestHere:
    @pytest.mark.parametrize("turn", range(3))
    def test_has_both(self, here, dbguard_engine, turn):
        assert names(dbguard_engine) == ["everywhere", "here", "seed"]
        assert add(dbguard_engine) == 4
        with dbguard_engine.begin() as connection:
            connection.execute(text("UPDATE author SET name = name || '!'"))


@pytest.mark.parametrize("turn", range(2))
def test_has_the_one(everywhere, dbguard_engine, turn):
    assert names(dbguard_engine) == ["everywhere", "seed"]
    assert add(dbguard_engine) == 3


def test_swapped(everywhere, dbguard_engine):
    with dbguard_engine.begin() as connection:
        connection.execute(text("CREATE TABLE later (id INTEGER)"))


def test_still_has_the_one(everywhere, dbguard_engine):
    assert inspect(dbguard_engine).get_table_names() == ["author"]
    assert names(dbguard_engine) == ["everywhere", "seed"]
"""


@DATABASES
@pytest.mark.parametrize("reset", ["committed", "rollback", "clone"])
def test_what_fixtures_of_wider_scope_commit_lasts_as_long_as_they_do(shop, database, reset):
    run(shop, database, WIDE, "--dbguard-reset", reset).assert_outcomes(passed=7)


ONE_AFTER_THE_OTHER = """
@pytest.fixture(scope="session", params=["x", "y", "z"])
def lot(request, dbguard_engine):
    add(dbguard_engine, request.param)
    yield request.param
    with dbguard_engine.begin() as connection:
        connection.execute(text("UPDATE author SET name = name || '!'"))


@pytest.fixture(scope="session")
def on_lot(lot, dbguard_engine):
    add(dbguard_engine, lot + "+")


def test_has_one(lot, dbguard_engine):
    assert names(dbguard_engine) == ["seed", lot]
    add(dbguard_engine)


def test_has_two(on_lot, lot, dbguard_engine):
    assert names(dbguard_engine) == ["seed", lot, lot + "+"]
"""


@DATABASES
@pytest.mark.parametrize("reset", ["committed", "rollback", "clone"])
def test_what_a_parametrised_fixture_commits_goes_before_its_next_parameter(shop, database, reset):
    result = run(shop, database, ONE_AFTER_THE_OTHER, "--dbguard-reset", reset)
    result.assert_outcomes(passed=6)
    assert "DbguardWarning" not in result.stdout.str()


HOLDS_A_SESSION = """
@pytest.fixture(scope="module")
def held(dbguard_sessionmaker):
    with dbguard_sessionmaker() as session:
        author = Author(name="held")
        session.add(author)
        session.commit()
        yield author.id
        assert session.scalar(COUNT) == 2
        session.delete(author)
        session.commit()


def test_deletes_it(held, dbguard_session):
    dbguard_session.execute(text("DELETE FROM author"))
    {ends}
"""


@DATABASES
@pytest.mark.parametrize("reset", ["committed", "rollback", "clone"])
@pytest.mark.parametrize("ends", ["dbguard_session.commit()", "leaked.append(dbguard_session.connection())"])
def test_a_fixture_of_wider_scope_ends_after_its_tests_were_undone(shop, database, reset, ends):
    tests = "leaked = []\n" + HOLDS_A_SESSION.format(ends=ends)
    run(shop, database, tests, "--dbguard-reset", reset).assert_outcomes(passed=1)


OWN_TABLES = """
@pytest.fixture(scope="session")
def tables(dbguard_engine):
    with dbguard_engine.begin() as connection:
        connection.execute(text("CREATE TABLE extra (id INTEGER PRIMARY KEY)"))


@pytest.mark.parametrize("turn", range(3))
def test_own_tables(tables, dbguard_engine, turn):
    assert sorted(inspect(dbguard_engine).get_table_names()) == ["author", "extra"]
    with dbguard_engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM extra")) == 0
        connection.execute(text("INSERT INTO extra VALUES (1)"))
    if turn == 1:
        with dbguard_engine.begin() as connection:
            connection.execute(text("DROP TABLE author"))
"""


@DATABASES
def test_tables_of_a_fixture_stay(shop, database):
    run(shop, database, OWN_TABLES).assert_outcomes(passed=3)


ASKED_FOR = """
@pytest.fixture(scope="module")
def late(dbguard_engine):
    add(dbguard_engine, "late")


def test_asks_for_it(request, dbguard_engine):
    request.getfixturevalue("late")
    assert names(dbguard_engine) == ["late", "seed"]
    add(dbguard_engine)


def test_finds_it(late, dbguard_engine):
    assert names(dbguard_engine) == ["late", "seed"]
"""


@DATABASES
def test_what_a_fixture_commits_that_a_test_asks_for_stays(shop, database):
    run(shop, database, ASKED_FOR).assert_outcomes(passed=2)
