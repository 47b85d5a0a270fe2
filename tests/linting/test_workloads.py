"""Statements of sources as workloads, and the way back from a position to a line."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.findings import Finding, Severity, Site
from pytest_dbguard.linting.model import Interpolation, Origin, Snippet
from pytest_dbguard.linting.workloads import dialect_named, dialect_of, place_in, placed, source_workloads
from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.sql.shape import read_statement


def snippet(text, style="qmark", line=1, **more):
    return Snippet(text, style, Site("a.sql", line, 1), Origin.SQL_FILE, **more)


def found(*snippets, default=None):
    texts = {each: read_statement(each.text) for each in snippets}
    return source_workloads(texts, lambda each: dialect_of(each, default), lambda path: path.startswith("tests/"))


@pytest.mark.parametrize(
    ("text", "style", "default", "expected"),
    [
        ("SELECT a FROM t WHERE b = ?", "qmark", None, Dialect.SQLITE),
        ("SELECT a FROM t", "qmark", None, Dialect.POSTGRESQL),
        ("SELECT a FROM t WHERE b = :b", "named", None, Dialect.POSTGRESQL),
        ("SELECT a FROM t WHERE b = %(b)s", "pyformat", None, Dialect.POSTGRESQL),
        ("SELECT a FROM t WHERE b = :b", "named", Dialect.SQLITE, Dialect.SQLITE),
        ("SELECT `a` FROM t WHERE b = %s", "format", Dialect.POSTGRESQL, Dialect.SQLITE),
    ],
)
def test_parameters_tell_the_dialect_where_nothing_else_does(text, style, default, expected):
    assert dialect_of(snippet(text, style), default) is expected


@pytest.mark.parametrize(
    ("name", "expected"), [("postgresql", Dialect.POSTGRESQL), ("mysql", Dialect.SQLITE), ("sqlite", Dialect.SQLITE)]
)
def test_names_of_dialects(name, expected):
    assert dialect_named(name) is expected


def test_equal_texts_are_one_statement_and_others_of_its_shape_are_not():
    (workload,) = found(
        snippet("SELECT a FROM t LIMIT 5", line=1),
        snippet("SELECT a FROM t LIMIT 5", line=3),
        snippet("SELECT a\nFROM t LIMIT 9", line=5),
        snippet("SELECT a FROM t WHERE", line=8, is_whole=False),
    )
    whole = workload.whole.statements
    assert [[use.site.line for use in each.uses] for each in whole] == [[1, 3], [5]]
    assert len({each.shape.id for each in whole}) == 1
    assert [each.uses[0].site.line for each in workload.parts.statements] == [8]


def test_values_that_are_put_in_are_told_and_names_are_not():
    name = Interpolation(Site("a.py", 1, 20), "table", is_value=False)
    value = Interpolation(Site("a.py", 2, 12), "city", is_value=True)
    (workload,) = found(
        snippet("SELECT a FROM x WHERE b = :city", "named", interpolations=(name, value)),
        snippet("SELECT a FROM x", interpolations=(name,)),
    )
    calls = [use.call for each in workload.whole.statements for use in each.uses]
    assert [call and call.interpolated for call in calls] == ["city", None]


def test_texts_that_are_given_names_are_about_no_certain_table():
    (workload,) = found(snippet("SELECT a FROM x", line=1, is_generic=True), snippet("SELECT a FROM y", line=2))
    uses = [use for each in workload.whole.statements for use in each.uses]
    assert {use.site.line: use.is_generic for use in uses} == {1: True, 2: False}


LINES = ((0, 10, 9), (12, 11, 5), (30, 14, 2))


@pytest.mark.parametrize(
    ("position", "expected"), [(0, (10, 9)), (11, (10, 20)), (12, (11, 5)), (29, (11, 22)), (31, (14, 3))]
)
def test_a_position_belongs_to_the_last_piece_before_it(position, expected):
    site = place_in(snippet("SELECT", lines=LINES), position)
    assert (site.line, site.column) == expected


def test_a_statement_without_pieces_is_told_at_its_beginning():
    assert place_in(snippet("SELECT", line=7), 3) == Site("a.sql", 7, 1)


def test_a_finding_about_a_value_stands_where_it_is_put_in():
    value = Interpolation(Site("a.py", 2, 12), "city", is_value=True)
    one = snippet("SELECT a FROM x WHERE b = :city", "named", interpolations=(value,), lines=LINES)
    of_value = Finding("DBG701", "interpolated-sql", Severity.ERROR, "x", "...", Site("a.sql", 1, 1))
    of_text = Finding("DBG403", "deep-offset", Severity.ERROR, "x", "...", Site("a.sql", 1, 1), position=13)
    assert placed(of_value, one).site == Site("a.py", 2, 12)
    assert placed(of_text, one).site == Site("a.sql", 11, 6)
    assert placed(of_text, one).position is None
