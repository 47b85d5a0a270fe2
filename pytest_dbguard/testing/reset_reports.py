"""Tells what a reset found: connections that a test left open, and what its author should know."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from pytest_dbguard.core.errors import DbguardWarning, LeakWarning
from pytest_dbguard.resets.base import Leak
from pytest_dbguard.testing.databases import MAIN, Cleaned
from pytest_dbguard.testing.settings import config_for


def tell(item: pytest.Item, cleaned: Iterable[Cleaned]) -> None:
    """Warn about a test, or fail it where the project asks for that with `leaks = "fail"`."""
    mode = config_for(item.config).leaks
    failures: list[str] = []
    for each in cleaned:
        where = "" if each.database == MAIN else f" (database {each.database!r})"
        for warning in each.outcome.warnings:
            item.warn(DbguardWarning(f"{item.nodeid}: {warning}{where}"))
        for leak in each.outcome.leaks:
            if mode == "fail":
                failures.append(leak_text(leak, item.nodeid) + where)
            elif mode == "warn":
                item.warn(LeakWarning(leak_text(leak, item.nodeid) + where))
    if failures:
        pytest.fail("dbguard: " + "\n".join(failures), pytrace=False)


def leak_text(leak: Leak, test: str) -> str:
    """Return what a leak is, who opened it and where."""
    owner = leak.owner or "unknown: another process, or a driver that was used directly"
    by = "" if leak.owner == test else f"; opened by {owner}"
    lines = [f"{test} leaves {leak.message}{by}", *(f"  at {place}" for place in leak.stack)]
    return "\n".join(lines)
