"""What is learned of a file instead of a server, by both drivers."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import make_url


@pytest.mark.parametrize("driver", ["sqlite", "sqlite+aiosqlite"])
class TestSqlite:
    """A file instead of a server."""

    def check(self, small, url, driver):
        _, checker = small({"primary": make_url(f"{driver}{url}")}, is_async="aio" in driver)
        return checker.health().targets["primary"]

    def test_a_file(self, small, tmp_path, driver):
        file = tmp_path / "app.db"
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE alembic_version (version_num)")
            connection.execute("INSERT INTO alembic_version VALUES ('b2'), ('a1')")
        found = self.check(small, f":///{file}", driver)
        assert (found.status, found.read_only, found.revision) == ("healthy", False, "a1, b2")
        assert found.disk_free_bytes > 0
        assert found.latency_ms > 0

    def test_a_file_that_is_not_there_is_not_made(self, small, tmp_path, driver):
        found = self.check(small, f":///{tmp_path}/app.db", driver)
        assert (found.status, found.reason) == ("unhealthy", "has no file")
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_is_no_database(self, small, tmp_path, driver):
        (tmp_path / "app.db").write_bytes(b"x" * 4096)
        found = self.check(small, f":///{tmp_path}/app.db", driver)
        assert (found.status, found.reason) == ("unhealthy", "has a file that is no database (DatabaseError)")

    def test_a_file_that_may_not_be_written(self, small, tmp_path, driver):
        file = tmp_path / "app.db"
        sqlite3.connect(file).executescript("CREATE TABLE t (id)")
        found = self.check(small, f":///file:{file}?mode=ro&uri=true", driver)
        assert (found.status, found.read_only) == ("unhealthy", True)

    @pytest.mark.parametrize(
        "url",
        [
            "://",
            ":///:memory:",
            ":///file:shared?mode=memory&cache=shared&uri=true",
            ":///file:/one?vfs=memdb&uri=true",
        ],
    )
    def test_memory(self, small, driver, url):
        found = self.check(small, url, driver)
        assert (found.status, found.reachable, found.read_only) == ("healthy", True, False)

    def test_a_file_that_another_process_has_locked(self, small, tmp_path, driver):
        file = tmp_path / "app.db"
        with sqlite3.connect(file, isolation_level=None) as locking:
            locking.execute("CREATE TABLE t (id)")
            locking.execute("BEGIN EXCLUSIVE")
            _, checker = small({"primary": make_url(f"{driver}:///{file}")}, is_async="aio" in driver, health_s=0.1)
            found = checker.health(60.0).targets["primary"]
            locking.execute("ROLLBACK")
        assert (found.status, found.reason) == ("degraded", "is locked by another connection (OperationalError)")

    def test_disk_that_runs_out(self, small, tmp_path, driver, monkeypatch):
        file = tmp_path / "app.db"
        sqlite3.connect(file).executescript("CREATE TABLE t (id)")
        usage = type("Usage", (), {"free": 7_000_000})
        monkeypatch.setattr("pytest_dbguard.runtime.health.questions.shutil.disk_usage", lambda path: usage)
        found = self.check(small, f":///{file}", driver)
        assert (found.status, found.reason) == ("degraded", "has 7 MB of disk left")
