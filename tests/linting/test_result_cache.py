"""Results by content: kept, pruned, and nothing where they cannot be read."""

from __future__ import annotations

import json

import pytest

from pytest_dbguard.linting import result_cache
from pytest_dbguard.linting.result_cache import MAX_AGE_S, ResultCache, digest


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def opened(tmp_path, clock, root="project"):
    return ResultCache(tmp_path / "lint", tmp_path / root, clock=clock)


def kept(tmp_path, clock, **results):
    cache = opened(tmp_path, clock)
    for key, result in results.items():
        cache.keep(key, result)
    cache.save()


def test_a_result_is_kept_for_its_project(tmp_path, clock):
    kept(tmp_path, clock, a={"statements": 3})
    assert opened(tmp_path, clock).get("a") == {"statements": 3}
    assert opened(tmp_path, clock).get("b") is None
    assert opened(tmp_path, clock, root="other").get("a") is None
    assert (tmp_path / "lint" / "CACHEDIR.TAG").exists()


def test_what_others_wrote_meanwhile_stays(tmp_path, clock):
    one, other = opened(tmp_path, clock), opened(tmp_path, clock)
    one.keep("a", {"statements": 1})
    other.keep("b", {"statements": 2})
    one.save()
    other.save()
    assert [opened(tmp_path, clock).get(key) for key in "ab"] == [{"statements": 1}, {"statements": 2}]


def test_what_nobody_used_for_a_month_goes(tmp_path, clock):
    kept(tmp_path, clock, old={}, used={})
    clock.now += MAX_AGE_S - 1
    cache = opened(tmp_path, clock)
    assert cache.get("used") == {}
    cache.keep("new", {})
    cache.save()
    clock.now += 2
    kept(tmp_path, clock, newest={})
    found = opened(tmp_path, clock)
    assert [found.get(key) for key in ("old", "used", "new", "newest")] == [None, {}, {}, {}]


def test_it_is_bounded(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(result_cache, "MAX_ENTRIES", 2)
    kept(tmp_path, clock, a={})
    clock.now += 1
    kept(tmp_path, clock, b={}, c={})
    assert [opened(tmp_path, clock).get(key) for key in "abc"] == [None, {}, {}]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 99, "entries": {}}', '{"format": 1, "entries": {"a": 3}}', '{"format": 1}']
)
def test_a_broken_file_is_nothing(tmp_path, clock, text):
    kept(tmp_path, clock, a={"statements": 1})
    (file,) = (tmp_path / "lint").glob("*.json")
    file.write_text(text)
    assert opened(tmp_path, clock).get("a") is None
    kept(tmp_path, clock, b={})
    assert json.loads(file.read_text())["entries"].keys() == {"b"}


def test_a_directory_that_cannot_be_made_costs_nothing(tmp_path, clock):
    (tmp_path / "lint").write_text("a file")
    kept(tmp_path, clock, a={})
    assert opened(tmp_path, clock).get("a") is None


def test_parts_are_told_apart():
    assert digest("ab", "c") != digest("a", "bc") != digest("abc")
