"""Whether the source asks for rows in portions, and whether it skips some."""

from __future__ import annotations

import ast
import textwrap

import pytest

from pytest_dbguard.analysis.made_statements import making_of
from pytest_dbguard.analysis.source_trees import SourceTree


def made(code):
    """Of the last call of `run` in a function."""
    tree = SourceTree(
        "def f(run, select, connection, session, User):\n" + textwrap.indent(textwrap.dedent(code), "    ")
    )
    calls = [node for node in ast.walk(tree.module) if isinstance(node, ast.Call) and "run" in ast.unparse(node.func)]
    return making_of(calls[-1], tree)


@pytest.mark.parametrize(
    "code",
    [
        "run(select(User).execution_options(yield_per=100))",
        "run(select(User), execution_options={'stream_results': True})",
        "statement = select(User).execution_options(yield_per=100)\nrun(statement)",
        "connection.execution_options(stream_results=True).run(select(User))",
        "options = {'yield_per': 50}\nrun(select(User), execution_options=options)",
        "query = session.query(User).yield_per(100)\nrun(query)",
    ],
)
def test_rows_in_portions(code):
    assert made(code) == ("yield_per",)


@pytest.mark.parametrize(
    "code",
    [
        "run(select(User))",
        "run(select(User), execution_options={'autoflush': False})",
        "run(select(User).execution_options(stream_results=False))",
        "other = select(User).execution_options(yield_per=100)\nrun(select(User))",
    ],
)
def test_rows_at_once(code):
    assert made(code) == ()


@pytest.mark.parametrize(
    "code",
    [
        "run(select(User).limit(20).offset(0))",
        "statement = select(User)\nstatement = statement.limit(20).offset(40)\nrun(statement)",
        "run(session.query(User).slice(0, 20))",
        "run(paginate(select(User)))",
    ],
)
def test_rows_that_are_skipped(code):
    assert made(code) == ("offset",)
