"""The `Server-Timing` header: how many statements a request has sent, and their time in the driver."""

from __future__ import annotations

import re

from pytest_dbguard.recording.scopes import Scope
from pytest_dbguard.reports.wording import queries

NAME = "Server-Timing"
_HAS_DATABASE = re.compile(r"(^|,)\s*db\s*(;|,|$)")


def metric(scope: Scope) -> str:
    """Return `db;dur=12.3;desc="41 queries"`: what was recorded so far, nested scopes included."""
    scopes = scope.all_scopes()
    elapsed_ms = sum(each.elapsed_ns for each in scopes) / 1e6
    return f'db;dur={elapsed_ms:.1f};desc="{queries(sum(each.count for each in scopes))}"'


def merged(value: str, scope: Scope) -> str:
    """Return a header's value with the metric added to it; as it is when it has a metric `db` already."""
    return value if _HAS_DATABASE.search(value) else f"{value}, {metric(scope)}"


def with_metric(headers: list[tuple[str, str]], scope: Scope) -> list[tuple[str, str]]:
    """Return a response's headers with the metric in a header of its own, or merged with the one that is there."""
    changed = list(headers)
    for index, (name, value) in enumerate(changed):
        if name.lower() == NAME.lower():
            changed[index] = (name, merged(value, scope))
            return changed
    return [*changed, (NAME, metric(scope))]
