"""The house style that can be counted: sizes of files and functions, docstrings, no promises in comments."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("pytest_dbguard", "tests", "example_project")
FILES = sorted(path for part in PARTS for path in (ROOT / part).rglob("*.py"))
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
LATER = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HACK)\b")


def long_files(path, tree):
    lines = len(path.read_text().splitlines())
    if lines > MAX_FILE_LINES:
        yield f"{lines} lines: the file has more than one job"


def long_functions(path, tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = node.end_lineno - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"line {node.lineno}: {node.name} has {lines} lines"


def missing_docstring(path, tree):
    if tree.body and not ast.get_docstring(tree):
        yield "no docstring that says the file's one job"


def promises(path, tree):
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.COMMENT and LATER.search(token.string):
            yield f"line {token.start[0]}: {token.string}"


@pytest.mark.parametrize("check", [long_files, long_functions, missing_docstring, promises])
def test_house_style(check):
    found = [f"{path.relative_to(ROOT)}: {text}" for path in FILES for text in check(path, ast.parse(path.read_text()))]
    assert not found, "\n".join(found)


def test_the_package_is_typed():
    assert (ROOT / "pytest_dbguard" / "py.typed").exists()
