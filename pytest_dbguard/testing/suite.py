"""Which tests there are, and whether this run was to run all of them: only then may anything be called gone."""

from __future__ import annotations

from collections.abc import Iterable
from glob import glob

import pytest

from pytest_dbguard.baseline.names import without_parameters

_LEAVE_OUT = ("--ignore", "--ignore-glob", "--deselect")


class Suite:
    """Told by the hooks of collection, of this process and of workers."""

    def __init__(self, pytest_config: pytest.Config) -> None:
        self._is_part = _selects(pytest_config)
        self._collected: set[str] = set()
        self._skipped: set[str] = set()

    def add(self, tests: Iterable[str]) -> None:
        """Take in tests that were collected."""
        self._collected |= set(tests)

    def leave_out(self, tests: int) -> None:
        """Note that this many tests were deselected."""
        self._is_part |= tests > 0

    def note_report(self, report: pytest.CollectReport) -> None:
        """Note a file or directory that tells no tests, since it is broken or skipped here."""
        if report.failed:
            self._is_part = True
        elif report.skipped:
            self._skipped.add(report.nodeid)

    def tests(self) -> frozenset[str] | None:
        """Return the node ids of all tests there are; None when some were left out."""
        return None if self._is_part else frozenset(self._collected)

    def may_hold(self, test: str) -> bool:
        """Return whether a test may be there though it was not collected: its file is skipped on this machine."""
        name = without_parameters(test)
        return any(not node or name == node or name.startswith((f"{node}::", f"{node}/")) for node in self._skipped)


def _selects(config: pytest.Config) -> bool:
    """Return whether the command line asks for some of the tests only.

    `--lf` is not heard of in `pytest_deselected`: it leaves files out before they are collected.
    """
    arguments = [str(each) for each in config.invocation_params.args]
    source = config.args_source
    return (
        (source is pytest.Config.ArgsSource.ARGS and not _names_all(config))
        or (source is pytest.Config.ArgsSource.INVOCATION_DIR and config.invocation_params.dir != config.rootpath)
        or bool(getattr(config.option, "lf", False))
        or any(each.partition("=")[0] in _LEAVE_OUT for each in arguments)
    )


def _names_all(config: pytest.Config) -> bool:
    """Return whether the arguments are directories that hold all of `testpaths`, or the root where there are none."""
    root, start = config.rootpath, config.invocation_params.dir
    if any("::" in argument for argument in config.args):
        return False
    given = [(start / argument).resolve() for argument in config.args]
    patterns = config.getini("testpaths")
    wanted = [root / found for pattern in patterns for found in glob(pattern, root_dir=root, recursive=True)] or [root]
    return all(any(each.is_dir() and path.resolve().is_relative_to(each) for each in given) for path in wanted)
