"""Decides whose code a file holds: the application's, the tests', or a library's."""

from __future__ import annotations

import os
import sys
import sysconfig
from enum import IntEnum
from fnmatch import fnmatch
from pathlib import Path

_PACKAGE = str(Path(__file__).resolve().parent.parent) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_CONSOLES = ("<stdin>", "<console>", "<python-input-", "<ipython-input-")
_TEST_DIRECTORIES = frozenset({"tests", "test", "factories", "fixtures", "seeds"})
_SEEDING_DIRECTORIES = frozenset({"factories", "fixtures", "seeds"})
_TEST_NAMES = frozenset(
    {
        "conftest.py",
        "factories.py",
        "fixtures.py",
        "seed.py",
        "seeds.py",
        "seeders.py",
        "seeding.py",
    }
)
_TEST_FILES = ("test_*.py", "*_test.py")


class CodeKind(IntEnum):
    """Whose code it is."""

    LIBRARY = 0
    APPLICATION = 1
    TEST = 2


class Ownership:
    """Tells application, tests and libraries apart by path; paths are shown relative to `root`.

    Tests are files that match `test_files` or are named conftest.py, factories.py, fixtures.py or seed.py, and all
    that lies in a directory named `tests`, `test`, `factories`, `fixtures` or `seeds`, or in one of `test_paths`.
    With `app_paths` only what lies there is the application.
    Code outside of `root` counts as the application when it is not installed (an editable sibling package).
    """

    def __init__(
        self,
        root: Path,
        *,
        app_paths: tuple[str, ...] = (),
        test_paths: tuple[str, ...] = (),
        test_files: tuple[str, ...] = _TEST_FILES,
    ) -> None:
        self._root = os.path.realpath(root)
        self._app_paths = tuple(path.strip("/") for path in app_paths)
        self._test_paths = tuple(path.strip("/") for path in test_paths)
        self._test_files = test_files
        self._libraries = _library_directories(self._root)
        self._known: dict[str, tuple[CodeKind, str]] = {}

    def of(self, filename: str) -> tuple[CodeKind, str]:
        """Return the owner of a code object's file, and the path to show."""
        known = self._known.get(filename)
        if known is None:
            known = self._known[filename] = self._decide(filename)
        return known

    def _decide(self, filename: str) -> tuple[CodeKind, str]:
        if filename.startswith(_CONSOLES):
            return CodeKind.APPLICATION, filename
        if filename.startswith("<"):
            return CodeKind.LIBRARY, filename
        path = os.path.realpath(filename)
        if any(part in path for part in _INSTALLED) or path.startswith(self._libraries):
            return CodeKind.LIBRARY, path
        shown = self._shown(path)
        if self._is_test(shown):
            return CodeKind.TEST, shown
        if self._app_paths and not _lies_in(shown, self._app_paths):
            return CodeKind.LIBRARY, shown
        return CodeKind.APPLICATION, shown

    def _shown(self, path: str) -> str:
        prefix = self._root.rstrip(os.sep) + os.sep
        shown = path[len(prefix) :] if path.startswith(prefix) else path
        return shown.replace(os.sep, "/")

    def _is_test(self, shown: str) -> bool:
        *directories, name = shown.split("/")
        if name in _TEST_NAMES or any(fnmatch(name, pattern) for pattern in self._test_files):
            return True
        if shown.startswith("/"):
            return False
        return not _TEST_DIRECTORIES.isdisjoint(directories) or _lies_in(shown, self._test_paths)


def is_seeding(file: str) -> bool:
    """Whether a file of test code arranges data: a factory, a seed, a module of fixtures."""
    *directories, name = file.split("/")
    return name in _TEST_NAMES or not _SEEDING_DIRECTORIES.isdisjoint(directories)


def _lies_in(shown: str, directories: tuple[str, ...]) -> bool:
    return any(shown == directory or shown.startswith(directory + "/") for directory in directories if directory)


def _library_directories(root: str) -> tuple[str, ...]:
    """Return the directories of installed code; not those that hold the root itself, as /usr may in a container."""
    names = ("stdlib", "platstdlib", "purelib", "platlib", "scripts")
    paths = {os.path.realpath(sysconfig.get_paths()[name]) + os.sep for name in names}
    paths |= {os.path.realpath(prefix) + os.sep for prefix in (sys.prefix, sys.base_prefix)}
    return (*sorted(path for path in paths if not root.startswith(path)), _PACKAGE)
