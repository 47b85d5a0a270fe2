"""Reads the statements of a Python file: strings that are executed, or that are constants of SQL."""

from __future__ import annotations

from pytest_dbguard.linting.model import Snippet, SourceFindings


def read_python(source: str, path: str) -> SourceFindings:
    """Return what a Python file holds, a problem where Python cannot read it; never raises."""
    return SourceFindings(path, python_snippets(source, path))


def python_snippets(source: str, path: str) -> tuple[Snippet, ...]:
    """Return the statements of Python source, in the order of the file.

    Raises:
        SyntaxError: For what Python cannot read.
    """
    return ()
