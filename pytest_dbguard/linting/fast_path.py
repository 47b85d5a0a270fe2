"""Tells the verdict of an earlier run again where nothing has changed since: before anything slow is imported."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pytest_dbguard.core.errors import DbguardError
from pytest_dbguard.core.files import write_atomically
from pytest_dbguard.core.verdict import Verdict
from pytest_dbguard.linting.presentation import Presentation, present, presentation_from_json, presentation_to_json
from pytest_dbguard.linting.result_cache import digest, lint_directory, make_directory, version_stamp
from pytest_dbguard.linting.verdict_values import verdict_from_json, verdict_to_json

FORMAT: Final = 1
NO_CACHE: Final = "--no-cache"
MAX_RUNS = 64
_RECENT_NS = 2_000_000_000
"""A file that was written so shortly before it was looked at may change once more within the tick of its clock."""
_PREFIX = "DBGUARD_"


@dataclass(frozen=True, slots=True)
class Watched:
    """What a verdict rests on.

    Attributes:
        targets: Files and directories that were searched for sources.
        root: The project.
        excludes: What is left out of directories.
        sources: The files that were found in them.
        others: Further files that decide, whether they are there or not: settings, statistics, baseline, models.
    """

    targets: tuple[Path, ...]
    root: Path
    excludes: tuple[str, ...]
    sources: tuple[Path, ...]
    others: tuple[Path, ...]


def replay(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int | None:
    """Tell the verdict of the same command again, and return its exit status; None where anything may have changed.

    Args:
        arguments: What stands behind `lint` on the command line.
        environ: The environment variables.
    """
    if NO_CACHE in arguments or "-" in arguments:
        return None
    try:
        directory = lint_directory(environ)
        if directory is None:
            return None
        document = json.loads(_path(directory, arguments, environ).read_bytes())
        root = Path(document["root"])
        if document["format"] != FORMAT or not _is_unchanged(document, root):
            return None
        verdict, how = verdict_from_json(document["verdict"]), presentation_from_json(document["presentation"])
        problems = tuple(document["problems"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # nothing was kept, or it cannot be understood: then it is found out again
        return None
    try:
        return present(verdict, problems, how, root, environ)
    except DbguardError:
        return None


def remember(
    arguments: Sequence[str],
    verdict: Verdict,
    problems: Sequence[str],
    how: Presentation,
    watched: Watched,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Keep a verdict for `replay`. What cannot be kept is not; never raises for that."""
    directory = lint_directory(environ)
    if directory is None or verdict.faults:
        return
    with suppress(OSError, ValueError):
        document = {
            "format": FORMAT,
            "root": str(watched.root),
            "targets": [str(path) for path in watched.targets],
            "excludes": list(watched.excludes),
            "sources": [_state(path) for path in watched.sources],
            "others": [_state(path) for path in watched.others],
            "seen_ns": time.time_ns(),
            "verdict": verdict_to_json(verdict),
            "problems": list(problems),
            "presentation": presentation_to_json(how),
        }
        make_directory(directory)
        path = _path(directory, arguments, environ)
        write_atomically(path, json.dumps(document, separators=(",", ":")))
        _prune(path.parent)


def _path(directory: Path, arguments: Sequence[str], environ: Mapping[str, str]) -> Path:
    settings = [f"{name}={value}" for name, value in sorted(environ.items()) if name.startswith(_PREFIX)]
    key = digest(version_stamp(), str(Path.cwd()), *arguments, "\0", *settings, environ.get("PYTHONPATH", ""))
    return directory / "runs" / f"{key[:32]}.json"


def _is_unchanged(document: Mapping[str, Any], root: Path) -> bool:
    from pytest_dbguard.linting.discovery import discover

    seen = document["seen_ns"]
    if not all(_is_same(state, seen) for state in (*document["others"], *document["sources"])):
        return False
    targets = [Path(path) for path in document["targets"]]
    found = discover(targets, root, document["excludes"])
    return [str(path) for path in found] == [path for path, *_ in document["sources"]]


def _state(path: Path) -> list[Any]:
    """Return what a file is known by: its path, size, time and content; None for what is not there."""
    try:
        status = path.stat()
        return [str(path), status.st_size, status.st_mtime_ns, digest(path.read_bytes())]
    except OSError:
        return [str(path), None, None, None]


def _is_same(state: Sequence[Any], seen_ns: int) -> bool:
    """Whether a file holds what it held: by its time where that is old enough, else by its content."""
    path, size, written, content = state
    try:
        status = os.stat(path)
    except OSError:
        return size is None
    if size is None or status.st_size != size:
        return False
    is_old = status.st_mtime_ns == written and seen_ns - status.st_mtime_ns > _RECENT_NS
    return bool(is_old) or digest(Path(path).read_bytes()) == str(content)


def _prune(directory: Path) -> None:
    """Delete the oldest runs beyond the limit."""
    runs = sorted(_dated(directory), reverse=True)
    for _, path in runs[MAX_RUNS:]:
        with suppress(OSError):
            path.unlink()


def _dated(directory: Path) -> Iterable[tuple[int, Path]]:
    for path in directory.glob("*.json"):
        with suppress(OSError):
            yield path.stat().st_mtime_ns, path
