"""Tells what the words on the command line stand for: sources, models, workloads, or standard input."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_dbguard.core.errors import ConfigError

STDIN = "-"
WORKLOADS = frozenset({".json", ".csv"})
"""Files of statements that ran: a saved run, an export of production or of pg_stat_statements."""
_MODELS = re.compile(r"[^\W\d][\w.]*:[^\W\d][\w.]*")
_KNOWN = "give files, directories, - for standard input, models as `module:attribute`, or a saved run"


@dataclass(frozen=True, slots=True)
class Targets:
    """What is to be judged.

    Attributes:
        paths: Files and directories of sources, absolute.
        models: Models, as `module:attribute`.
        workloads: Files of statements that ran, absolute.
        reads_stdin: Whether SQL comes from standard input.
    """

    paths: tuple[Path, ...] = ()
    models: tuple[str, ...] = ()
    workloads: tuple[Path, ...] = ()
    reads_stdin: bool = False


def read_targets(words: Sequence[str], base: Path) -> Targets:
    """Return what the words stand for; relative paths are below `base`.

    Raises:
        ConfigError: For a word that stands for nothing; names it.
    """
    paths: dict[Path, None] = {}
    models: dict[str, None] = {}
    workloads: dict[Path, None] = {}
    for word in words:
        path = Path(os.path.normpath(base / word))
        if word == STDIN:
            continue
        if path.is_file() and path.suffix.lower() in WORKLOADS:
            workloads[path] = None
        elif path.exists():
            paths[path] = None
        elif _MODELS.fullmatch(word):
            models[word] = None
        else:
            raise _refusal(word)
    return Targets(tuple(paths), tuple(models), tuple(workloads), STDIN in words)


def _refusal(word: str) -> ConfigError:
    if "://" in word:
        kind, _, rest = word.partition("://")
        shown = f"{kind}://{rest.rpartition('@')[2]}"
        return ConfigError(f"{shown!r} is a database, not what is judged", hint="name it with --database")
    return ConfigError(f"there is no file or directory {word!r}", hint=_KNOWN)
