"""Resets and cleaners are found by name, and plain resets ask the cleaner for what they are named after."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import EntryPoint

import pytest
from sqlalchemy import make_url

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.resets import registry
from pytest_dbguard.resets.base import Did, Outcome
from pytest_dbguard.resets.registry import RESETS, cleaner_for, finish_for, load_reset, reset_names


@dataclass
class Cleaner:
    dirty: bool = True
    calls: list = field(default_factory=list)

    def __getattr__(self, name):
        def call(*arguments):
            self.calls.append((name, *arguments))
            return Outcome(Did.EMPTIED)

        return call

    def is_dirty(self):
        return self.dirty


@dataclass
class Database:
    url: object


@pytest.mark.parametrize("name", ["committed", "clone", "truncate", "none"])
def test_a_reset_bears_its_name(name):
    assert load_reset(name).name == name
    assert name in reset_names()


def test_an_unknown_reset_is_refused_with_the_nearest_name():
    with pytest.raises(DatabaseError, match="unknown reset 'comitted'") as caught:
        load_reset("comitted")
    assert caught.value.hint == "did you mean 'committed'?"


def test_others_can_add_resets(monkeypatch):
    entry = EntryPoint("theirs", "pytest_dbguard.resets.none:NoReset", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == "dbguard.resets" else [])
    assert load_reset("theirs").__name__ == "NoReset"
    assert reset_names() == (*RESETS, "theirs")


@pytest.mark.parametrize(
    ("name", "is_dirty", "calls"),
    [
        ("committed", True, [("clean",)]),
        ("committed", False, [("clean",)]),
        ("truncate", True, [("truncate",)]),
        ("clone", True, [("make_ready",), ("swap", "the reset is clone")]),
        ("clone", False, [("make_ready",), ("clean",)]),
        ("none", True, []),
    ],
)
def test_what_a_reset_asks_of_its_cleaner(name, is_dirty, calls):
    cleaner = Cleaner(is_dirty)
    reset = load_reset(name)(cleaner, None)
    reset.begin()
    outcome = reset.end()
    reset.close()
    assert cleaner.calls == calls
    assert (outcome.did is Did.EMPTIED) == any(call != ("make_ready",) for call in calls)


def test_an_unknown_family_has_no_cleaner():
    with pytest.raises(DatabaseError, match="no reset knows databases of 'mysql'"):
        cleaner_for(Database(make_url("mysql://host/name")), None, None)


@dataclass
class Server:
    kind: str


def test_templates_of_postgres_are_prepared_for_the_cleaner():
    assert finish_for(Server("sqlite")) is None
    assert finish_for(Server("postgres-url")).__name__ == "prepare"
