"""Texts that can be explained: the database's own parameters, what is written in their place, and nobody's values."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_dbguard.sql.choices import MAX_VARIANTS
from pytest_dbguard.sql.explainable import explainables
from pytest_dbguard.sql.literals import literal
from pytest_dbguard.sql.patterns import pattern_class, stand_in
from pytest_dbguard.sql.placeholders import placeholders
from tests.sql.test_roles import STEADY, STYLES, WORDS

DIALECTS = {style: "postgresql" if style in ("format", "pyformat", "numeric_dollar") else "sqlite" for style in STYLES}


def explained(text, style="qmark", values=None, dialect=None, constants=("status",)):
    dialect = dialect or DIALECTS[style]
    return explainables(text, style, values or {}, dialect=dialect, constants=lambda column: column in constants)


def texts(*args, **options):
    return [one.sql for one in explained(*args, **options)]


# a text for PostgreSQL, as SQLAlchemy's text() takes it, and what is sent to be explained
COLONS = [
    ("SELECT a FROM t WHERE b = :b AND c = :b", "SELECT a FROM t WHERE b = $1 AND c = $1"),
    ("SELECT a::int, b[1:2] FROM t WHERE c = :c::text", "SELECT a::int, b[1:2] FROM t WHERE c = $1::text"),
    (
        "SELECT $$ :a $$, E'\\':b' FROM t WHERE c LIKE '%' || :c",
        "SELECT $$ :a $$, E'\\':b' FROM t WHERE c LIKE '%' || $1",
    ),
]


@pytest.mark.parametrize(("text", "expected"), COLONS)
def test_names_after_a_colon_are_read_as_postgres_reads_the_rest(text, expected):
    assert texts(text, "named", dialect="postgresql") == [expected]


@pytest.mark.parametrize(
    ("text", "style", "dialect"),
    [
        ("  SELECT a FROM t WHERE b = %(b)s AND c LIKE '%%x%%' AND HERE = %(c)s", "pyformat", "postgresql"),
        ("SELECT a -- why?\n FROM t WHERE b = ? AND HERE = ?", "qmark", "sqlite"),
        ("SELECT a FROM t WHERE b = :b AND HERE = :c", "named", "postgresql"),
        ("SELECT a FROM t WHERE HERE IN %s OFFSET 20", "format", "postgresql"),
        ("INSERT INTO t (a) VALUES (?), (?), (?) RETURNING HERE", "qmark", "sqlite"),
        ("SELECT HERE", "qmark", "sqlite"),
        ("SELECT a FROM t WHERE b LIKE %s AND HERE = 1", "format", "postgresql"),
    ],
)
def test_a_place_in_what_is_sent_leads_back_to_the_text(text, style, dialect):
    (one,) = explained(text, style, {0: ("%x",)}, dialect=dialect)
    at = one.original(one.sql.index("HERE"))
    assert text[at : at + 4] == "HERE"


# text, style, what is sent to be explained, positions of the parameters
WRITTEN = [
    ("SELECT a FROM t WHERE b = ? AND c = ?", "qmark", "SELECT a FROM t WHERE b = ? AND c = ?", (0, 1)),
    ("SELECT a FROM t WHERE b = ?2 AND c = ?1", "qmark", "SELECT a FROM t WHERE b = ? AND c = ?", (0, 1)),
    (
        "SELECT a FROM t WHERE b = :b AND c = :c AND d = :b",
        "named",
        "SELECT a FROM t WHERE b = ? AND c = ? AND d = ?",
        (0, 1, 2),
    ),
    ("SELECT a FROM t WHERE b = :1", "numeric", "SELECT a FROM t WHERE b = ?", (0,)),
    ("SELECT a FROM t WHERE b = %s AND c = %s", "format", "SELECT a FROM t WHERE b = $1 AND c = $2", (0, 1)),
    (
        "SELECT a FROM t WHERE b = %(b)s::INTEGER AND c = %(c)s::VARCHAR(20) AND d = %(b)s::INTEGER",
        "pyformat",
        "SELECT a FROM t WHERE b = $1::INTEGER AND c = $2::VARCHAR(20) AND d = $1::INTEGER",
        (0, 1),
    ),
    (
        "SELECT a FROM t WHERE b = $2 AND c = $1 AND d = $2",
        "numeric_dollar",
        "SELECT a FROM t WHERE b = $1 AND c = $2 AND d = $1",
        (0, 1),
    ),
    (
        "SELECT a %% 5, '100%%', \"x%%\" FROM t WHERE b LIKE '%%x%%' AND c = %s",
        "format",
        "SELECT a % 5, '100%', \"x%\" FROM t WHERE b LIKE '%x%' AND c = $1",
        (0,),
    ),
    ("SELECT '%%s', '?', ':a', '$1' FROM t", "format", "SELECT '%s', '?', ':a', '$1' FROM t", ()),
    ("SELECT '?', \"?\", a -- ?\n FROM t WHERE b = ?", "qmark", "SELECT '?', \"?\", a -- ?\n FROM t WHERE b = ?", (0,)),
    ("SELECT a::int, b ? 'k', c @> $1 FROM t", "numeric_dollar", "SELECT a::int, b ? 'k', c @> $1 FROM t", (0,)),
    ("SELECT a FROM t;", "qmark", "SELECT a FROM t", ()),
    ("  SELECT a FROM t ; -- end", "qmark", "SELECT a FROM t", ()),
    ("SELECT a FROM t WHERE b = ? /* order=5 */", "qmark", "SELECT a FROM t WHERE b = ?", (0,)),
    ("SELECT a FROM t WHERE b IN (?, ?, ?)", "qmark", "SELECT a FROM t WHERE b IN (?, ?, ?)", (0, 1, 2)),
    (
        "SELECT a FROM t WHERE b IN %s AND c = ANY(%s)",
        "format",
        "SELECT a FROM t WHERE b IN ($1) AND c = ANY($2)",
        (0, 1),
    ),
    (
        "SELECT a FROM t WHERE b > now() - INTERVAL %s AND c > DATE %s",
        "format",
        "SELECT a FROM t WHERE b > now() - $1::INTERVAL AND c > $2::DATE",
        (0, 1),
    ),
    (
        "INSERT INTO t (a, b) VALUES (?, lower(?)), (?, lower(?)), (?, lower(?))",
        "qmark",
        "INSERT INTO t (a, b) VALUES (?, lower(?))",
        (0, 1),
    ),
    (
        "INSERT INTO t (a) SELECT p0 FROM (VALUES (%s, 0), (%s, 1)) AS sen(p0, n) ORDER BY n RETURNING a, %s",
        "format",
        "INSERT INTO t (a) SELECT p0 FROM (VALUES ($1, 0)) AS sen(p0, n) ORDER BY n RETURNING a, $2",
        (0, 2),
    ),
    (
        "SELECT a FROM t JOIN (VALUES (1, ?), (2, ?)) AS v ON a = b",
        "qmark",
        "SELECT a FROM t JOIN (VALUES (1, ?), (2, ?)) AS v ON a = b",
        (0, 1),
    ),
    ("WITH x AS (SELECT 1) DELETE FROM t WHERE a = ?", "qmark", "WITH x AS (SELECT 1) DELETE FROM t WHERE a = ?", (0,)),
    ("(SELECT 1) UNION (SELECT ?)", "qmark", "(SELECT 1) UNION (SELECT ?)", (0,)),
    ("/* hint */ SELECT ?", "qmark", "/* hint */ SELECT ?", (0,)),
    (
        "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE",
        "format",
        "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE",
        (),
    ),
]


@pytest.mark.parametrize(("text", "style", "sql", "ordinals"), WRITTEN)
def test_parameters_are_the_databases_own(text, style, sql, ordinals):
    (one,) = explained(text, style)
    assert (one.sql, one.ordinals, one.is_generic) == (sql, ordinals, bool(ordinals))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            ";",
            "-- nothing",
            "COPY t FROM STDIN",
            "CREATE TABLE t (a INT)",
            "CALL f(?)",
            "BEGIN",
            "PRAGMA foreign_keys",
        ),
        *(
            "SELECT 1; SELECT 2",
            "SELECT a INTO u FROM t",
            "WITH x AS (SELECT 1) SELECT a INTO u FROM x",
            "EXPLAIN SELECT 1",
        ),
        *(
            "DECLARE c CURSOR FOR SELECT 1",
            "SAVEPOINT a",
            "ANALYZE t",
            "TRUNCATE t",
            "LOCK t",
            "'SELECT 1'",
            "SET a = ?",
        ),
    ],
)
@pytest.mark.parametrize("style", STYLES)
def test_what_has_no_plan(text, style):
    assert explained(text.replace("?", STYLES[style]), style) == ()


def test_the_largest_limit_is_written():
    values = {0: (5, 20, 10), 1: (0,)}
    assert texts("SELECT a FROM t LIMIT ? OFFSET ?", values=values) == ["SELECT a FROM t LIMIT 20 OFFSET 0"]
    assert texts("SELECT a FROM t LIMIT ?, ?", values={1: (7,)}) == ["SELECT a FROM t LIMIT ?, 7"]
    assert texts("SELECT a FROM t LIMIT %(n)s::INTEGER", "pyformat", {0: (3,)}) == ["SELECT a FROM t LIMIT 3::INTEGER"]


@pytest.mark.parametrize("seen", [(), (None,), (True,), ("5",), (1.5,), (2**70,)])
def test_a_limit_that_is_no_number_stays(seen):
    assert texts("SELECT a FROM t LIMIT ?", values={0: seen}) == ["SELECT a FROM t LIMIT ?"]


@pytest.mark.parametrize(
    ("condition", "seen", "written"),
    [
        ("b LIKE ?", ("secret%",), ["b LIKE 'abc%'"]),
        ("b LIKE ?", ("secret",), ["b LIKE 'abc'"]),
        ("b LIKE ?", ("%secret%", "%secret"), ["b LIKE '%abc%'"]),
        ("b LIKE ?", ("%",), ["b LIKE '%'"]),
        ("b LIKE ?", ("%secret", "secret%"), ["b LIKE 'abc%'", "b LIKE '%abc%'"]),
        ("b LIKE '%' || ? || '%'", ("secret",), ["b LIKE '%' || 'abc' || '%'"]),
        ("b LIKE ? || '%' ESCAPE '/'", ("sec/%ret",), ["b LIKE 'abc' || '%' ESCAPE '/'"]),
        ("b LIKE ? ESCAPE '/'", ("/%secret",), ["b LIKE 'abc' ESCAPE '/'"]),
        ("b LIKE ?", ("/%secret",), ["b LIKE 'abc%'"]),
        ("b GLOB ?", ("secret*",), ["b GLOB 'abc*'"]),
        ("b GLOB ?", ("[a-z]*",), ["b GLOB '*abc*'"]),
        ("b GLOB ?", ("100%",), ["b GLOB 'abc'"]),
        ("b NOT LIKE ?", ("secret%",), ["b NOT LIKE 'abc%'"]),
        ("b LIKE ?", (None, 5), ["b LIKE ?"]),
        ("lower(b) LIKE lower(?)", ("Secret%",), ["lower(b) LIKE lower('abc%')"]),
    ],
)
def test_patterns_are_written_by_class(condition, seen, written):
    found = texts(f"SELECT a FROM t WHERE {condition}", values={0: seen})
    assert found == [f"SELECT a FROM t WHERE {text}" for text in written]


def test_backslash_escapes_in_postgres_alone():
    assert "'abc'" in texts("SELECT 1 FROM t WHERE b LIKE $1", "numeric_dollar", {0: ("\\%x",)})[0]
    assert "'abc%'" in texts("SELECT 1 FROM t WHERE b LIKE ?", values={0: ("\\%x",)})[0]


def test_constants_are_written_one_text_each():
    text = "SELECT a FROM t WHERE t.status = ? AND b = ?"
    found = explained(text, values={0: ("open", "it's", None, "open"), 1: ("x",)})
    assert [one.sql for one in found] == [
        "SELECT a FROM t WHERE t.status = 'it''s' AND b = ?",
        "SELECT a FROM t WHERE t.status = 'open' AND b = ?",
    ]
    assert {one.ordinals for one in found} == {(1,)}


def test_constants_of_lists_are_the_first_each():
    text = "SELECT a FROM t WHERE status IN (%(a)s::VARCHAR, %(b)s::VARCHAR) AND status <> %(c)s"
    values = {0: ("b", "a"), 1: ("c",), 2: ("z",)}
    expected = "SELECT a FROM t WHERE status IN ('a'::VARCHAR, 'c'::VARCHAR) AND status <> 'z'"
    assert texts(text, "pyformat", values) == [expected]


@pytest.mark.parametrize(
    ("value", "postgres", "sqlite"),
    [
        (True, "TRUE", "1"),
        (False, "FALSE", "0"),
        (5, "5", "5"),
        (-5, "(-5)", "(-5)"),
        (1.5, "1.5", "1.5"),
        (1e300, "1e+300", "1e+300"),
        (None, "NULL", "NULL"),
        ("a'b\\c", "'a''b\\c'", "'a''b\\c'"),
        ("a\x00b", None, None),
        (float("nan"), None, None),
        (float("inf"), None, None),
        (b"x", None, None),
    ],
)
def test_literals(value, postgres, sqlite):
    assert (literal(value, is_postgres=True), literal(value, is_postgres=False)) == (postgres, sqlite)


def test_there_are_few_texts():
    values = {0: tuple("abcdefgh"), 1: tuple("abcdefgh")}
    found = texts("SELECT a FROM t WHERE status = ? OR status = ?", values=values)
    assert len(found) == MAX_VARIANTS == len(set(found))


def test_values_of_other_columns_stay_out():
    values = {0: ("secret",), 1: ("secret",), 2: (7,)}
    found = explained("SELECT a FROM t WHERE b = ? AND lower(status) = ? AND c > ?", values=values)
    assert [one.sql for one in found] == ["SELECT a FROM t WHERE b = ? AND lower(status) = ? AND c > ?"]


SEEN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
VALUES = st.dictionaries(st.integers(0, 5), st.lists(SEEN, max_size=3).map(tuple))


@STEADY
@given(
    st.one_of(st.text(), WORDS),
    st.sampled_from(sorted(STYLES)),
    st.dictionaries(st.integers(0, 5), st.lists(SEEN, max_size=3).map(tuple)),
)
@example("SELECT ?" + "(" * 3000, "qmark", {})
@example("INSERT VALUES (", "qmark", {0: (1,)})
@example("INSERT INTO t VALUES (?), (", "qmark", {})
def test_any_text_is_written_or_none(text, style, values):
    dialect = DIALECTS[style]
    for one in explainables(f"SELECT {text}", style, values, dialect=dialect, constants=lambda column: True):
        marks = placeholders(one.sql, "numeric_dollar" if dialect == "postgresql" else "qmark")
        assert len({mark.key for mark in marks}) >= len(one.ordinals)


PATTERNS = st.text(alphabet="ab%_\\/*?[", max_size=6)


@settings(STEADY, max_examples=300)
@given(PATTERNS, st.sampled_from(["", "/"]))
def test_a_stand_in_is_of_the_class(pattern, escape):
    for is_glob in (False, True):
        kind = pattern_class(pattern, escape=escape, is_glob=is_glob)
        assert pattern_class(stand_in(kind, is_glob=is_glob), is_glob=is_glob) == kind


@settings(STEADY, max_examples=300)
@given(st.text(alphabet="ab%_", max_size=5), st.text(alphabet="ab", max_size=3))
def test_classes_are_what_sqlite_makes_of_patterns(pattern, rest):
    """Of class exact is what only equals itself, of class leading what no beginning is fixed for."""
    with sqlite3.connect(":memory:") as connection:

        def likes(text):
            return bool(connection.execute("SELECT ? LIKE ?", (text, pattern)).fetchone()[0])

        kind = pattern_class(pattern)
        if kind == "exact":
            assert likes(pattern) and not likes(pattern + "x" + rest)
        elif kind == "prefix":
            assert not likes("x" + rest)
        else:
            assert kind in ("leading", "any")
            assert pattern[0] in "%_"


@pytest.mark.parametrize("rows", [1, 5_000])
def test_long_texts_cost_their_length(rows):
    text = "INSERT INTO t (a, b) VALUES " + ", ".join(["(?, ?)"] * rows)
    assert texts(text) == ["INSERT INTO t (a, b) VALUES (?, ?)"]
    listed = f"SELECT a FROM t WHERE b IN ({', '.join(['%s'] * rows)})"
    assert explained(listed, "format")[0].ordinals == tuple(range(rows))
