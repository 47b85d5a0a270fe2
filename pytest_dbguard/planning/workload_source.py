"""Reads a workload from whatever file it is in, told by its content."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.planning.pg_stat_statements import read_pg_stat_statements
from pytest_dbguard.planning.workload import Workload
from pytest_dbguard.planning.workload_document import Source
from pytest_dbguard.planning.workload_file import is_workload_file, pairs_of, read_document
from pytest_dbguard.schema.catalog import Catalog

_NAMES = ("calls", "query")
_HEAD = 4_000


@dataclass(frozen=True, slots=True)
class LoadedWorkloads:
    """What a file holds.

    Attributes:
        source: "run", "production" or "pg_stat_statements".
        pairs: A workload for each schema, the one with most statements first; no catalog where nobody knew it.
        made_at: When it was made, as ISO 8601; "" where nobody knows.
    """

    source: Source
    pairs: tuple[tuple[Workload, Catalog | None], ...]
    made_at: str = ""


def is_workload_source(path: Path) -> bool:
    """Return whether a file is a workload file or an export of `pg_stat_statements`; reads its beginning only."""
    if is_workload_file(path):
        return True
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD).decode("utf-8-sig", "replace").lstrip()
    except OSError:
        return False
    if path.suffix.lower() in (".py", ".sql"):
        return False
    names = head if head[:1] in ("[", "{") else head.partition("\n")[0]
    return all(name in names.lower() for name in _NAMES)


def read_workload_source(path: Path) -> LoadedWorkloads:
    """Return what ran, from a saved run, a workload that production wrote, or an export of `pg_stat_statements`.

    Raises:
        ConfigError: When it is none of them, or cannot be understood.
    """
    if is_workload_file(path):
        document = read_document(path)
        return LoadedWorkloads(document.source, pairs_of(path, document), document.made)
    if path.is_file() and not is_workload_source(path):
        raise ConfigError(
            f"{path}: neither a workload file nor an export of pg_stat_statements",
            hint="a workload file is made by: pytest --dbguard --dbguard-save-workload FILE",
        )
    return LoadedWorkloads("pg_stat_statements", ((read_pg_stat_statements(path), None),))
