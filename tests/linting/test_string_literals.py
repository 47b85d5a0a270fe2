"""What string literals say, and where their characters stand."""

from __future__ import annotations

import ast
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard import linting
from pytest_dbguard.linting.placed_text import Lines, Piece
from pytest_dbguard.linting.string_literals import Field, literal_parts


def parts(source):
    return [
        (part.text, part.at)
        if isinstance(part, Piece)
        else (source[part.start : part.end], part.conversion, part.format)
        for part in literal_parts(source, 0, len(source))
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"a"', [("a", 1)]),
        ("'a'  # c\n  'b'", [("a", 1), ("b", 12)]),
        ('"""a\n b"""', [("a\n", 3), (" b", 5)]),
        (
            r'"a\n\x41\101\u00e9\N{BULLET}\d"',
            [("a", 1), ("\n", 2), ("A", 4), ("A", 8), ("é", 12), ("•", 18), ("\\", 28), ("d", 29)],
        ),
        ('"a\\\n b"', [("a", 1), ("", 2), (" b", 4)]),
        (r"r'\d\'a'", [(r"\d\'a", 2)]),
        ("f'{{a}}'", [("{", 2), ("a", 4), ("}", 5)]),
        ("'{a}'", [("{a}", 1)]),
        ("f'x {a}{b!r:>{w}}'", [("x ", 2), ("a", "", ""), ("b", "r", ">{w}")]),
        ("f'{d[\"}\"]} {x != y} {z=}'", [('d["}"]', "", ""), (" ", 10), ("x != y", "", ""), (" ", 19), ("z", "", "")]),
        ("f'{d:%Y-%m}{n:#x}'", [("d", "", "%Y-%m"), ("n", "", "#x")]),
        (r"rf'\{a}'", [("\\", 3), ("a", "", "")]),
    ],
)
def test_parts_of_literals(source, expected):
    assert parts(source) == expected


def test_python_agrees_on_the_literals_of_a_package():
    for path in Path(linting.__file__).parent.rglob("*.py"):
        source = path.read_text()
        lines = Lines(source)
        for node in outermost(ast.parse(source)):
            start = lines.offset(node.lineno, node.col_offset)
            found = list(literal_parts(source, start, lines.offset(node.end_lineno, node.end_col_offset)))
            fields = [source[part.start : part.end] for part in found if isinstance(part, Field)]
            if isinstance(node, ast.Constant):
                assert "".join(part.text for part in found) == node.value
            else:
                expected = [ast.dump(value.value) for value in node.values if isinstance(value, ast.FormattedValue)]
                assert [ast.dump(ast.parse(f"({field})", mode="eval").body) for field in fields] == expected


def outermost(node):
    """Yield literals of text that lie in no other."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.JoinedStr) or (isinstance(child, ast.Constant) and isinstance(child.value, str)):
            yield child
        else:
            yield from outermost(child)


@given(st.text())
def test_python_agrees_on_any_text(text):
    source = repr(text)
    assert "".join(part.text for part in literal_parts(source, 0, len(source))) == text


@given(st.text(alphabet="abé\n\\'\"{}", max_size=12))
def test_text_that_is_no_escape_stands_where_it_is_said_to(text):
    source = f"'''{text}'''"
    with warnings.catch_warnings(), suppress(SyntaxError):
        warnings.simplefilter("ignore")
        assert_agrees(source, ast.literal_eval(source))


def assert_agrees(source, value):
    found = list(literal_parts(source, 0, len(source)))
    assert "".join(part.text for part in found) == value
    assert all(source.startswith(part.text, part.at) or source[part.at] == "\\" for part in found)
