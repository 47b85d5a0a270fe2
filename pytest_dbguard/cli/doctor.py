"""`dbguard doctor`: what works here, what does not, and what to do about it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import Annotated

import typer

from pytest_dbguard.core.errors import DbguardError

_MINIMUM = {"sqlalchemy": (2, 0, 30), "pytest": (8, 4)}
_DRIVERS = ("psycopg", "aiosqlite", "asyncpg", "greenlet", "pytest-xdist", "pytest-asyncio")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report: "ok", "missing" (an option that is not there) or "problem"."""

    state: str
    what: str
    next_step: str = ""


def doctor(directory: Annotated[Path, typer.Option(help="the project's directory")] = Path()) -> None:
    """Check versions, plugin, configuration, baseline and databases; exit with 1 when something is wrong."""
    checks = list(_checks(directory))
    for check in checks:
        typer.echo(f"{check.state:<8} {check.what}")
        if check.next_step:
            typer.echo(f"{'':<8} -> {check.next_step}")
    problems = sum(check.state == "problem" for check in checks)
    typer.echo(f"\n{problems or 'no'} problem{'' if problems == 1 else 's'}")
    if problems:
        raise typer.Exit(1)


def _checks(directory: Path) -> Iterator[Check]:
    yield Check("ok", f"Python {sys.version.split()[0]}")
    for package, minimum in _MINIMUM.items():
        yield _version_check(package, minimum)
    for package in _DRIVERS:
        yield _optional(package)
    yield _plugin()
    yield _told("configuration", lambda: _configuration(directory))
    yield _told("baseline", lambda: _baseline(directory))
    yield from _databases()


def _version_check(package: str, minimum: tuple[int, ...]) -> Check:
    wanted = ".".join(map(str, minimum))
    try:
        found = version(package)
    except PackageNotFoundError:
        return Check("problem", f"{package} is not installed", f"pip install '{package}>={wanted}'")
    numbers = tuple(int(part) for part in found.split(".")[:3] if part.isdigit())
    if numbers < minimum:
        return Check("problem", f"{package} {found} is older than {wanted}", f"pip install '{package}>={wanted}'")
    return Check("ok", f"{package} {found}")


def _optional(package: str) -> Check:
    try:
        return Check("ok", f"{package} {version(package)}")
    except PackageNotFoundError:
        return Check("missing", f"{package} is not installed (optional)")


def _plugin() -> Check:
    if any(point.name == "dbguard" for point in entry_points(group="pytest11")):
        return Check("ok", "pytest finds the plugin: pytest --dbguard")
    return Check("problem", "pytest does not find the plugin", "pip install pytest-dbguard into this environment")


def _told(subject: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except DbguardError as error:
        return Check("problem", f"{subject}: {error.message}", error.hint or "")


def _configuration(directory: Path) -> Check:
    from pytest_dbguard.analysis.judge import active_rules
    from pytest_dbguard.config.load import load_config

    found = load_config(directory, environ=os.environ)
    rules = active_rules(select=found.select, ignore=found.ignore, tables=found.rules, slow_ms=found.slow_ms)
    return Check("ok", f"configuration: {len(rules)} rules, environment {found.env}")


def _baseline(directory: Path) -> Check:
    from pytest_dbguard.baseline.file import read_baseline
    from pytest_dbguard.config.load import load_config

    found = load_config(directory, environ=os.environ)
    if found.baseline == "none":
        return Check("ok", "baseline: none is used")
    if not (directory / found.baseline).exists():
        return Check("ok", f"baseline: {found.baseline} is not there yet", "pytest --dbguard --dbguard-update-baseline")
    accepted = len(read_baseline(directory / found.baseline).entries)
    return Check("ok", f"baseline: {found.baseline} accepts {accepted}")


def _databases() -> Iterator[Check]:
    from pytest_dbguard.databases.registry import PROVIDERS, load_provider

    for kind in PROVIDERS:
        reason = load_provider(kind).available()
        if reason is None:
            yield Check("ok", f"database {kind} can start here")
        else:
            yield Check("missing", f"database {kind} cannot start here: {reason}")
