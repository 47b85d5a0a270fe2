"""Where copies for later runs are kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_dbguard.databases.cache_directory import cache_directory, is_private


@pytest.fixture
def last_resort(tmp_path):
    place = tmp_path / "var"
    place.mkdir()
    return place


def test_the_given_directory_comes_first(tmp_path, last_resort):
    given = tmp_path / "deep" / "given"
    environ = {"DBGUARD_CACHE_DIR": str(tmp_path / "other")}
    assert cache_directory(given, environ, last_resort) == given
    assert given.stat().st_mode & 0o777 == 0o700


def test_then_the_variable(tmp_path, last_resort):
    environ = {"DBGUARD_CACHE_DIR": str(tmp_path / "named"), "XDG_CACHE_HOME": str(tmp_path / "xdg")}
    assert cache_directory(None, environ, last_resort) == tmp_path / "named"


def test_then_the_cache_of_the_user(tmp_path, last_resort, monkeypatch):
    assert cache_directory(None, {"XDG_CACHE_HOME": str(tmp_path)}, last_resort) == tmp_path / "pytest-dbguard"
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    expected = tmp_path / "home" / ".cache" / "pytest-dbguard"
    assert cache_directory(None, {"XDG_CACHE_HOME": "relative"}, last_resort) == expected


def test_where_the_home_serves_not_a_private_one_that_lasts(tmp_path, last_resort):
    (tmp_path / "file").touch()
    private = last_resort / f"pytest-dbguard-{os.geteuid()}"
    assert cache_directory(tmp_path / "file" / "cache", {}, last_resort) == private
    assert private.stat().st_mode & 0o777 == 0o700


def test_a_user_without_a_home_has_a_place(last_resort, monkeypatch):
    def homeless():
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", homeless)
    assert cache_directory(None, {}, last_resort) == last_resort / f"pytest-dbguard-{os.geteuid()}"


def test_a_directory_that_others_can_write_to_is_not_used(tmp_path, last_resort):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    assert cache_directory(shared, {}, last_resort) == last_resort / f"pytest-dbguard-{os.geteuid()}"
    prepared = last_resort / f"pytest-dbguard-{os.geteuid()}"
    prepared.chmod(0o770)
    assert cache_directory(shared, {}, last_resort) is None


def test_a_directory_of_somebody_else_is_not_used(tmp_path, last_resort, monkeypatch):
    given = tmp_path / "given"
    assert cache_directory(given, {}, last_resort) == given
    somebody = os.geteuid() + 1
    monkeypatch.setattr("os.geteuid", lambda: somebody)
    assert not is_private(given)


def test_a_link_of_ours_is_followed(tmp_path, last_resort):
    (tmp_path / "disk").mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "disk")
    assert cache_directory(link, {}, last_resort) == link
    astray = tmp_path / "astray"
    astray.symlink_to("/tmp")
    assert cache_directory(astray, {}, last_resort) != astray
