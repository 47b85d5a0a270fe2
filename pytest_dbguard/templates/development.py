"""The database that a developer works with: made from the same template as those of tests, and left where it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pytest_dbguard.databases.base import Server
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.maintenance import Maintenance
from pytest_dbguard.templates.marks import Kind, Mark, project_key
from pytest_dbguard.templates.postgres_templates import PostgresTemplates
from pytest_dbguard.templates.runs import Run

_PREFIX = "dbguard_dev_"
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Development:
    """A database to work with."""

    name: str
    is_outdated: bool
    """Whether what builds it has changed since it was made."""


def open_database(server: Server, recipe: Recipe, root: Path, run_id: str, *, is_fresh: bool) -> Development:
    """Return the database of a project on a server, made when there is none, or when it shall be fresh.

    Raises:
        DatabaseError: When it cannot be made.
    """
    templates = PostgresTemplates(server, Run(run_id, "dev"), project=root)
    maintenance = Maintenance(server)
    try:
        template = templates.ready(recipe)
        mark = Mark(Kind.DEVELOPMENT, key=template.key, project=project_key(root)).used_now()
        name = _name(maintenance, root)
        entry = maintenance.entry(name)
        if entry is not None and not is_fresh:
            present = maintenance.owned(name).mark
            return Development(name, present is None or present.key != template.key)
        if entry is not None:
            maintenance.drop(name)
        template.create(name)
        maintenance.comment(name, mark)
        return Development(name, is_outdated=False)
    finally:
        maintenance.close()
        templates.close()


def close_databases(server: Server, root: Path) -> list[str]:
    """Delete the databases to work with of a project; return their names."""
    maintenance = Maintenance(server)
    try:
        names = [entry.name for entry in maintenance.entries() if _is_of(entry.mark, root)]
        for name in names:
            maintenance.drop(name)
        return names
    finally:
        maintenance.close()


def _name(maintenance: Maintenance, root: Path) -> str:
    """Return a name for people; with a hash where another project of the same name has it."""
    slug = re.sub(r"[^a-z0-9]+", "_", root.resolve().name.lower()).strip("_") or "project"
    name = f"{_PREFIX}{slug}"[: _LONGEST_NAME - 13]
    entry = maintenance.entry(name)
    return name if entry is None or _is_of(entry.mark, root) else f"{name}_{project_key(root)}"


def _is_of(mark: Mark | None, root: Path) -> bool:
    return mark is not None and mark.kind is Kind.DEVELOPMENT and mark.project == project_key(root)
