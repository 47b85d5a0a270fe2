"""How tests find their database clean: resets, markers, fixtures of wider scope, engines of the application."""

from __future__ import annotations

import pytest

from tests.testing.test_fixtures import DATABASES, Shop

HEAD = """
import pytest
from models import COUNT, Author, Base
from sqlalchemy import create_engine, insert, inspect, select, text
from sqlalchemy.orm import Session


def add(engine, name="a"):
    with Session(engine) as session:
        author = Author(name=name)
        session.add(author)
        session.commit()
        return author.id


def names(engine):
    with engine.connect() as connection:
        return sorted(connection.scalars(select(Author.name)))
"""


@pytest.fixture
def shop(pytester):
    return Shop(pytester)


def run(shop, database, tests, *arguments):
    shop.write("test_shop.py", HEAD + tests)
    return shop.run("--dbguard-database", database, *arguments)


COMMITS = """
@pytest.mark.parametrize("turn", range(4))
def test_commits(dbguard_engine, turn):
    assert names(dbguard_engine) == ["seed"]
    assert add(dbguard_engine) == 2
    with dbguard_engine.begin() as connection:
        connection.execute(text("UPDATE author SET name = 'changed' WHERE id = 1"))


@pytest.mark.parametrize("turn", range(2))
def test_changes_the_schema(dbguard_engine, turn):
    assert inspect(dbguard_engine).get_table_names() == ["author"]
    with dbguard_engine.begin() as connection:
        connection.execute(text("CREATE TABLE later (id INTEGER)"))
        connection.execute(text("DROP TABLE author"))


def test_is_what_it_was(dbguard_session, dbguard_engine):
    assert inspect(dbguard_engine).get_table_names() == ["author"]
    assert dbguard_session.scalar(COUNT) == 1
    assert add(dbguard_engine) == 2
"""


@DATABASES
@pytest.mark.parametrize("reset", ["committed", "clone", "truncate"])
@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_what_tests_commit_is_gone(shop, database, reset, workers):
    result = run(shop, database, COMMITS, "--dbguard-reset", reset, *workers)
    result.assert_outcomes(passed=7)


ROLLED_BACK = """
@pytest.mark.parametrize("turn", range(3))
def test_commits(dbguard_engine, dbguard_session, dbguard_connection, turn):
    assert names(dbguard_engine) == ["seed"]
    assert add(dbguard_engine) == 2
    assert dbguard_session.scalar(COUNT) == 2
    dbguard_session.add(Author(name="b"))
    dbguard_session.commit()
    assert dbguard_connection.scalar(COUNT) == 3
"""


@DATABASES
def test_rollback_shares_one_connection(shop, database):
    run(shop, database, ROLLED_BACK, "--dbguard-reset=rollback").assert_outcomes(passed=3)


MARKED = """
def test_default(dbguard_engine):
    add(dbguard_engine)


@pytest.mark.dbguard(reset="rollback")
@pytest.mark.parametrize("turn", range(2))
def test_rolled_back(dbguard_engine, turn):
    assert names(dbguard_engine) == ["seed"]
    add(dbguard_engine)


@pytest.mark.dbguard(fresh=True)
@pytest.mark.parametrize("turn", range(2))
def test_fresh(dbguard_engine, turn):
    assert names(dbguard_engine) == ["seed"]
    assert add(dbguard_engine) == 2


@pytest.mark.dbguard(reset_after="class")
class TestTogether:
    def test_first(self, dbguard_engine):
        assert names(dbguard_engine) == ["seed"]
        add(dbguard_engine, "first")

    def test_second(self, dbguard_engine):
        assert names(dbguard_engine) == ["first", "seed"]


@pytest.mark.dbguard(reset="none")
def test_leaves_it(dbguard_engine):
    assert names(dbguard_engine) == ["seed"]
    add(dbguard_engine, "left")


def test_finds_it(dbguard_engine):
    assert names(dbguard_engine) == ["left", "seed"]


def test_clean_again(dbguard_engine):
    assert names(dbguard_engine) == ["seed"]
"""


@DATABASES
def test_a_marker_chooses_for_one_test(shop, database):
    run(shop, database, MARKED).assert_outcomes(passed=10)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("reset='rolback'", "unknown reset 'rolback'*did you mean 'rollback'?"),
        ("reset_after='modul'", "unknown reset_after 'modul'*did you mean 'module'?"),
    ],
)
@pytest.mark.parametrize("arguments", [(), ("--dbguard",)])
def test_a_wrong_marker_is_told(shop, words, message, arguments):
    result = run(shop, "sqlite", f"@pytest.mark.dbguard({words})\ndef test_it(dbguard_engine): pass\n", *arguments)
    first, second = message.split("*")
    told = result.stdout.str() + result.stderr.str()
    assert f"test_it: marker dbguard: {first}\n" in told
    assert second in told
    assert result.ret != 0
    assert "INTERNALERROR" not in told


FAILS = """
@pytest.mark.parametrize("turn", range(2))
def test_fails(dbguard_engine, turn):
    add(dbguard_engine)
    assert names(dbguard_engine) == ["seed"]


def test_is_clean(dbguard_engine):
    assert names(dbguard_engine) == ["seed"]
"""


def test_a_failed_test_that_is_rolled_back_leaves_nothing_for_the_next_one(shop):
    result = run(shop, "sqlite", FAILS, "--dbguard-reset", "rollback", "--dbguard-keep")
    result.assert_outcomes(failed=2, passed=1)
    assert result.stdout.str().count("E       AssertionError: assert ['a', 'seed'] == ['seed']") == 2


COMMITS_ELSEWHERE = """
@pytest.fixture(scope="module")
def wide(dbguard_engine):
    add(dbguard_engine)


def test_reads(wide, dbguard_engine):
    assert names(dbguard_engine) == ["a", "seed"]


def test_commits_elsewhere(dbguard_engine, dbguard_database):
    add(create_engine(dbguard_database.url), "b")
"""


@DATABASES
def test_a_rollback_tells_what_it_did_not_reach_of_tests_only(shop, database):
    result = run(shop, database, COMMITS_ELSEWHERE, "--dbguard-reset", "rollback")
    result.assert_outcomes(passed=2)
    assert result.stdout.str().count("DbguardWarning: ") == 1
    result.stdout.fnmatch_lines("*test_commits_elsewhere: a connection that is not rolled back changed author")


@pytest.mark.parametrize("arguments", [("--dbguard-env=prod",), ("--dbguard-env=production",)])
def test_no_tests_on_production(shop, arguments):
    shop.write("dbguard.toml", '[env.prod]\ndatabase = "sqlite"\n')
    shop.write("test_shop.py", HEAD + "def test_it(dbguard_engine): pass\n")
    result = shop.run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no tests on the databases of the environment 'prod*'"])


def test_the_choice_is_told_with_its_reason(shop):
    shop.write("test_shop.py", HEAD + "def test_it(dbguard_engine): pass\n")
    shop.run().stdout.fnmatch_lines(["dbguard: database sqlite: no other database is configured*"])
    shop.run("--dbguard-database=sqlite").stdout.fnmatch_lines(
        ["dbguard: database sqlite: asked for by flag --dbguard-database"]
    )
    automatic = shop.run("--dbguard-database=auto")
    automatic.stdout.fnmatch_lines(["dbguard: database postgres-embedded: *"])
    automatic.assert_outcomes(passed=1)


STOPS = """
def test_first(dbguard_engine):
    add(dbguard_engine)


def test_fails(dbguard_engine):
    assert names(dbguard_engine) == ["seed"]
    add(dbguard_engine)
    END


def test_last(dbguard_engine):
    assert names(dbguard_engine) == ["seed"]
    add(dbguard_engine)
"""


@DATABASES
@pytest.mark.parametrize("end", ["assert 0", "raise KeyboardInterrupt"])
def test_a_run_that_stops_early_leaves_nothing(shop, database, end):
    shop.write("pyproject.toml", '[tool.pytest.ini_options]\naddopts = "-p no:asyncio"\n')
    first = run(shop, database, STOPS.replace("END", end), "-x")
    assert first.ret in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
    assert "INTERNALERROR" not in first.stdout.str()
    again = run(shop, database, STOPS.replace("END", "pass"), "--lf")
    assert again.ret == 0


THREAD = """
from threading import Event, Thread

started, may_go_on = Event(), Event()
threads = []


def work(engine):
    with engine.begin() as connection:
        connection.execute(insert(Author).values(name="one"))
        started.set()
        may_go_on.wait(20)
        connection.execute(insert(Author).values(name="two"))


def test_ends_while_a_thread_works(dbguard_engine):
    threads.append(Thread(target=work, args=(dbguard_engine,)))
    threads[0].start()
    assert started.wait(20)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_later(dbguard_engine):
    may_go_on.set()
    threads[0].join()
    assert names(dbguard_engine) == ["seed"]
"""


@DATABASES
def test_a_thread_that_goes_on_commits_nothing_later(shop, database):
    result = run(shop, database, THREAD)
    result.assert_outcomes(passed=2, warnings=1)
