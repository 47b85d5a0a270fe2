"""Tells what databases of ours are on a server, and deletes those that nobody needs."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_dbguard.databases.base import Server
from pytest_dbguard.templates.advisory_locks import held_locks
from pytest_dbguard.templates.maintenance import Entry, Maintenance
from pytest_dbguard.templates.marks import Kind, Mark
from pytest_dbguard.templates.postgres_templates import use_lock
from pytest_dbguard.templates.runs import run_lock, run_of


@dataclass(frozen=True, slots=True)
class Item:
    """A database of ours."""

    name: str
    mark: Mark
    size_bytes: int
    is_in_use: bool
    """Whether the run that it belongs to is alive, or for a template whether any run uses it."""


def inventory(server: Server) -> list[Item]:
    """Return the databases of ours on a PostgreSQL server, sorted by name."""
    maintenance = Maintenance(server)
    try:
        entries = maintenance.entries()
        with maintenance.connection() as connection:
            held = held_locks(connection)
        return [item for entry in entries if (item := _item(entry, maintenance, held)) is not None]
    finally:
        maintenance.close()


def has_living_runs(server: Server) -> bool:
    """Tell whether tests run on a server right now."""
    return any(item.is_in_use and item.mark.kind in (Kind.COPY, Kind.BUILD) for item in inventory(server))


def prune(server: Server, project: str | None) -> list[Item]:
    """Delete what runs that have ended have left, and a project's templates that nobody uses and kept databases.

    Args:
        server: Where they are.
        project: What marks call the project; None for all projects.

    Returns:
        What was deleted.
    """
    maintenance = Maintenance(server)
    try:
        found = [item for item in inventory(server) if _may_go(item, project)]
        for item in found:
            maintenance.drop_unseen(item.name)
        return found
    finally:
        maintenance.close()


def _item(entry: Entry, maintenance: Maintenance, held: frozenset[int]) -> Item | None:
    run, mark = run_of(entry), entry.mark
    if mark is None and run is None:
        return None
    mark = mark or Mark(Kind.COPY, run=run or "")
    is_in_use = run_lock(run) in held if run is not None else use_lock(entry.name) in held
    return Item(entry.name, mark, maintenance.size_bytes(entry.name), is_in_use)


def _may_go(item: Item, project: str | None) -> bool:
    if item.is_in_use or item.mark.kind is Kind.DEVELOPMENT:
        return False
    is_left = item.mark.kind in (Kind.COPY, Kind.BUILD)
    return is_left or project is None or item.mark.project == project
