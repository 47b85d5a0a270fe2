"""Check at which sizes statements are planned: production's, declared ones, or the default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_dbguard.cli.checks.base import Check, State, Subject, problem
from pytest_dbguard.core.errors import DbguardError

if TYPE_CHECKING:
    from pytest_dbguard.planning.statistics.model import Statistics


def check_plans(subject: Subject) -> Iterator[Check]:
    """Yield where sizes come from, and whether a lab is allowed."""
    from pytest_dbguard.planning.statistics.load import load_statistics

    config = subject.config_or_defaults()
    try:
        statistics = load_statistics(subject.root, path=config.statistics, scale=config.scale)
    except DbguardError as error:
        yield problem("plans", error)
        return
    yield _sizes(statistics)
    if config.lab == "off":
        yield Check(State.NOTE, "plans: the lab is switched off, so no planner is asked", 'lab = "auto" switches it on')


def _sizes(statistics: Statistics) -> Check:
    tables = f"{len(statistics.tables)} table{'' if len(statistics.tables) == 1 else 's'}"
    if statistics.origin == "default":
        rows = f"{statistics.default_rows:,.0f}"
        step = "give them with [tool.dbguard.scale], or export production's with `dbguard stats export URL`"
        return Check(State.NOTE, f"plans: no sizes of tables are known, so each counts {rows} rows", step)
    return Check(State.OK, f"plans: sizes of {tables} from {statistics.source}")
