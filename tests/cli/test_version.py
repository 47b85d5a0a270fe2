"""`dbguard version`."""

from __future__ import annotations

import re

from pytest_dbguard import __version__
from pytest_dbguard.cli import version


def test_version(dbguard):
    result = dbguard("version")
    assert result.status == 0
    assert re.fullmatch(
        rf"pytest-dbguard {re.escape(__version__)} \(Python 3\.\d+\.\S+, pytest \d\S+, SQLAlchemy 2\.\S+\)\n",
        result.out,
    )


def test_a_package_that_is_not_there(dbguard, monkeypatch):
    def missing(name):
        raise version.PackageNotFoundError(name)

    monkeypatch.setattr(version, "installed_version", missing)
    assert "pytest not installed" in dbguard("version").out
