"""Whether the source asks for rows in portions."""

from __future__ import annotations

import ast
import textwrap

import pytest

from pytest_dbguard.analysis.source_trees import SourceTree
from pytest_dbguard.analysis.streamed import asks_for_portions


def asks(code):
    """Of the last call of `run` in a function."""
    tree = SourceTree(
        "def f(run, select, connection, session, User):\n" + textwrap.indent(textwrap.dedent(code), "    ")
    )
    calls = [node for node in ast.walk(tree.module) if isinstance(node, ast.Call) and "run" in ast.unparse(node.func)]
    return asks_for_portions(calls[-1], tree)


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
def test_asks(code):
    assert asks(code)


@pytest.mark.parametrize(
    "code",
    [
        "run(select(User))",
        "run(select(User), execution_options={'autoflush': False})",
        "run(select(User).execution_options(stream_results=False))",
        "other = select(User).execution_options(yield_per=100)\nrun(select(User))",
    ],
)
def test_does_not_ask(code):
    assert not asks(code)
