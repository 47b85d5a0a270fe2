"""Suggested code broken into lines is the same code."""

from __future__ import annotations

import ast

import pytest

from pytest_dbguard.reports.python_code import fit_code

CODE = [
    "select(Order).options(selectinload(Order.lines).selectinload(Line.product), joinedload(Order.customer))",
    "stmt = [first.name for first, second in pairs(where='a, (b', other=\"]\", more={'k': (1, 2)})]",
    "session.get(Order, ..., options=[selectinload(Order.lines), joinedload(Order.customer, innerjoin=True)])",
    "f(lambda a, b: a)(c, *d, **e)[x, y][0]",
]


@pytest.mark.parametrize("code", CODE)
@pytest.mark.parametrize("width", [20, 30, 40, 60, 80])
def test_it_means_the_same(code, width):
    assert ast.dump(ast.parse("\n".join(fit_code(code, width)))) == ast.dump(ast.parse(code))


def test_what_fits_is_not_changed():
    assert fit_code(CODE[0], 120) == [CODE[0]]


def test_it_breaks_as_formatters_do():
    assert fit_code(CODE[0], 60) == [
        "select(Order).options(",
        "    selectinload(Order.lines).selectinload(Line.product),",
        "    joinedload(Order.customer)",
        ")",
    ]


def test_indented_blocks_comments_and_what_has_no_brackets():
    code = "with session.no_autoflush:\n    order = session.scalars(select(Order))\n# a comment (which is too long)"
    assert fit_code(code, 30) == [
        "with session.no_autoflush:",
        "    order = session.scalars(",
        "        select(Order)",
        "    )",
        "# a comment (which is too long)",
    ]


@pytest.mark.parametrize("text", ["((((((((((((((((((((((((", "a)b(c)d)e(f(g)h(i)j)k)l(m", "f('unclosed (string, x"])
def test_what_is_no_code_stays_as_it_is(text):
    assert fit_code(text, 10) == [text]
