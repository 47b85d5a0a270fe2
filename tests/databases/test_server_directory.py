"""Where a server's data lies, and what is deleted of killed runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases import server_directory, server_user
from pytest_dbguard.databases.server_directory import PREFIX, ServerDirectory, sweep
from pytest_dbguard.databases.server_user import ServerUser

OURSELVES = ServerUser("we", os.geteuid(), os.getegid(), borrowed=False)


@pytest.fixture
def bases(monkeypatch, tmp_path):
    def use(*names):
        paths = [tmp_path / name for name in names]
        for path in paths:
            path.mkdir(exist_ok=True)
        monkeypatch.setattr(server_directory, "bases", lambda: iter(paths))
        monkeypatch.setattr(server_directory, "_SOCKET_PATH_MAX", 400)
        return paths

    return use


def test_takes_the_first_place_with_room(bases, monkeypatch):
    full, roomy = bases("full", "roomy")
    usage = {full: 1, roomy: 1 << 40}
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": usage[path]}))
    directory = ServerDirectory.create(OURSELVES)
    assert directory.path.parent == roomy
    directory.remove()
    assert list(roomy.iterdir()) == []


def test_no_place_is_told_with_the_next_step(bases, monkeypatch):
    (base,) = bases("full")
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 0}))
    with pytest.raises(DatabaseError) as caught:
        ServerDirectory.create(OURSELVES)
    assert str(base) in str(caught.value)
    assert "set TMPDIR to a short path that we can enter, with 512 MB free" in str(caught.value)


def test_a_path_too_long_for_a_socket_is_not_taken(bases, monkeypatch):
    long, short = bases("l" * 80, "s")
    limit = len(str(short / f"{PREFIX}12345678" / ".s.PGSQL.5432"))
    monkeypatch.setattr(server_directory, "_SOCKET_PATH_MAX", limit)
    directory = ServerDirectory.create(OURSELVES)
    assert directory.path.parent == short
    directory.remove()


def test_sweeps_what_was_left_and_nothing_else(tmp_path, bases):
    bases("base")
    living = ServerDirectory.create(OURSELVES)
    base = living.path.parent
    left = base / f"{PREFIX}left"
    (left / "data").mkdir(parents=True)
    stranger = base / "stranger"
    stranger.mkdir()
    link = base / f"{PREFIX}link"
    link.symlink_to(stranger)
    sweep(base, {os.geteuid()})
    assert sorted(base.iterdir()) == sorted([living.path, stranger, link])
    left.mkdir()
    sweep(base, {os.geteuid() + 1})
    assert left.exists()  # of another user
    living.remove()


def test_the_log_is_told_from_its_end(bases):
    bases("base")
    directory = ServerDirectory.create(OURSELVES)
    assert directory.tail() == ""
    directory.log.write_text("\n".join(map(str, range(20))))
    assert directory.tail(2) == "18\n19"
    directory.remove()


def test_root_without_an_unprivileged_user_is_told(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(DatabaseError, match=r"refuses to run as root, and none of the users 'no-such-user' exists"):
        server_user.server_user(("no-such-user",))


@pytest.mark.parametrize(("mode", "expected"), [(0o700, False), (0o701, True), (0o710, False), (0o755, True)])
def test_a_borrowed_user_enters_only_what_the_permissions_allow(tmp_path, mode, expected):
    stranger = ServerUser("stranger", os.geteuid() + 1, os.getegid() + 1, borrowed=True)
    place = tmp_path / "place"
    place.mkdir()
    place.chmod(mode)
    assert stranger._may_search(place) is expected
    assert stranger.can_enter(Path("/")) is True


def test_a_directory_that_cannot_be_read_is_passed_over(tmp_path):
    sweep(tmp_path / "none", {os.geteuid()})
    assert server_directory.directories_in(tmp_path / "none", {os.geteuid()}) == []
