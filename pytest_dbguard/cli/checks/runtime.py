"""Check the settings of the runtime, and whether the servers take as many connections as they ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pytest_dbguard.cli.checks.base import Check, State, Subject
from pytest_dbguard.config.file import PYPROJECT, find_file
from pytest_dbguard.config.toml import parse_toml
from pytest_dbguard.core.errors import ConfigError

if TYPE_CHECKING:
    from pytest_dbguard.runtime.settings import DatabaseSettings
    from pytest_dbguard.runtime.settings.capacity import Demand

_NEEDS = "pydantic_settings"
_PREFIX = "DBGUARD_RUNTIME_"


def check_runtime(subject: Subject) -> Iterator[Check]:
    """Yield what is wrong with the settings, and how many connections they may open; nothing where there are none."""
    if not _is_used(subject):
        return
    if find_spec(_NEEDS) is None:
        what = f"runtime settings: {_NEEDS.replace('_', '-')} is not installed"
        yield Check(State.PROBLEM, what, "pip install 'pytest-dbguard[runtime]'")
        return
    from pytest_dbguard.runtime.settings import DatabaseSettings
    from pytest_dbguard.runtime.settings.capacity import demands

    settings, problems = DatabaseSettings.examine(subject.root, file=subject.file)
    for each in problems:
        yield Check(State.PROBLEM, f"runtime settings: {each.line}", each.hint or "")
    if problems:
        return
    servers = len({target.url for target in settings.targets()})
    yield Check(
        State.OK, f"runtime settings: profile {settings.profile}, {servers} server{'' if servers == 1 else 's'}"
    )
    yield from _strictness(settings)
    for demand in demands(settings):
        yield _connections(settings, demand)


def _strictness(settings: DatabaseSettings) -> Iterator[Check]:
    """Yield where production's connections are less safe than they could be."""
    from pytest_dbguard.runtime.settings.tls import is_verified, mode_in

    over_network = [target.url for target in settings.targets() if target.url.crosses_network]
    if settings.profile != "production" or not over_network:
        return
    if not settings.security.require_tls:
        what = "runtime settings: security.require-tls is off, connections may go over the network unencrypted"
        yield Check(State.NOTE, what, "leave it out, unless a tunnel encrypts them")
    elif not all(is_verified(mode_in(url, settings.tls) or "disable") for url in over_network):
        what = "runtime settings: connections are encrypted, but nobody checks whose server it is"
        yield Check(State.NOTE, what, "set tls.mode to 'verify-full', and tls.root-cert")


def _connections(settings: DatabaseSettings, demand: Demand) -> Check:
    from pytest_dbguard.cli.checks.server_limits import ask_limit

    names = ", ".join(target.name for target in demand.targets)
    count = f"{demand.processes} process{'' if demand.processes == 1 else 'es'} x {demand.per_process}"
    what = f"runtime connections: {names} at {demand.server}: {count} = {demand.connections}"
    limit = ask_limit(settings, demand.targets[0])
    if limit.why_not:
        hint = "see that it takes so many: max_connections less superuser_reserved_connections"
        return Check(State.NOTE, f"{what}; the server cannot be asked: {limit.why_not}", hint)
    told = f"{what}, of {limit.connections} that {limit.source} allows"
    if demand.connections <= limit.connections:
        is_guess = settings.profile == "production" and settings.source(("processes",)) == "default"
        return Check(State.OK, told, "say in `processes` how many run, on all machines" if is_guess else "")
    hint = "lower `pool.size`, `pool.overflow` or `processes`, raise the server's limit, or put a pooler in between"
    return Check(State.PROBLEM, told, hint)


def _is_used(subject: Subject) -> bool:
    """Tell whether anything is said to the runtime; a file that cannot be read is told by another check."""
    if any(name.startswith(_PREFIX) and text.strip() for name, text in os.environ.items()):
        return True
    try:
        path = find_file(subject.root) if subject.file is None else subject.root / subject.file
        table: object = {} if path is None else parse_toml(path, path.name)
    except ConfigError:
        return False
    names = ("tool", "dbguard", "runtime") if path is not None and path.name == PYPROJECT else ("runtime",)
    for name in names:
        table = table.get(name) if isinstance(table, Mapping) else None
    return table is not None
