"""Writes what the tests of a run ran to a file, for `dbguard advise` and `dbguard lint`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.reports.wording import counted

if TYPE_CHECKING:
    from pytest_dbguard.planning.workload import Workload
    from pytest_dbguard.schema.catalog import Catalog


def check_destination(root: Path, name: str) -> None:
    """Look before any test runs whether the file can be written; makes its directory.

    Raises:
        ConfigError: When it cannot.
    """
    path = root / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--dbguard-save-workload {name}: {error.strerror or error}", hint="choose another") from None
    if path.is_dir():
        raise ConfigError(f"--dbguard-save-workload {name}: is a directory", hint="name a file in it")


def save_workload(
    root: Path,
    name: str,
    workloads: Iterable[Workload],
    catalogs: Mapping[str, Catalog],
    *,
    now: datetime | None = None,
) -> str:
    """Write the file, and return the line that says so. It holds no value of any statement.

    Raises:
        ConfigError: When it cannot be written.
    """
    from pytest_dbguard.planning.workload_file import write_workload

    pairs = [(each, catalogs.get(each.schema_id)) for each in workloads if each.statements]
    made = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    write_workload(root / name, pairs, source="run", made_at=made)
    statements = counted(sum(len(workload.statements) for workload, _ in pairs), "statement")
    where = f" on {counted(len(pairs), 'schema')}" if len(pairs) != 1 else ""
    return f"Saved {statements}{where} to {name}"
