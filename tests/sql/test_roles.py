"""What placeholders are for: cases by style, and that nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_dbguard.sql.placeholders import lexemes, placeholders
from pytest_dbguard.sql.roles import placeholder_roles

STEADY = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
STYLES = {"qmark": "?", "numeric": ":1", "named": ":p", "format": "%s", "pyformat": "%(p)s", "numeric_dollar": "$1"}

# written with `?`; the roles of its placeholders in order, as role or role:column
CASES = [
    ("SELECT a FROM t WHERE b = ?", "equal:b"),
    ("SELECT a FROM t WHERE t.b = ?", "equal:b"),
    ("SELECT a FROM t WHERE s.t.b = ?", "equal:b"),
    ('SELECT a FROM t WHERE t."B b" = ?', "equal:B b"),
    ('SELECT a FROM t WHERE "we""ird" = ?', 'equal:we"ird'),
    ("SELECT a FROM t WHERE ? = b", "equal:b"),
    ("SELECT a FROM t WHERE ? = t.b AND c", "equal:b"),
    ("SELECT a FROM t WHERE b <> ? AND c != ?", "equal:b equal:c"),
    ("SELECT a FROM t WHERE b IS ? OR c IS NOT ?", "equal:b equal:c"),
    ("SELECT a FROM t WHERE b IS DISTINCT FROM ? AND c IS NOT DISTINCT FROM ?", "equal:b equal:c"),
    ("SELECT a FROM t WHERE (b) = ? AND ((c)) = ?", "equal:b equal"),
    ("SELECT a FROM t WHERE b = (?)", "equal:b"),
    ("SELECT a FROM t WHERE b = CAST(? AS INTEGER)", "equal:b"),
    ("SELECT a FROM t WHERE lower(b) = ?", "equal"),
    ("SELECT a FROM t WHERE b = lower(?)", "other"),
    ("SELECT a FROM t WHERE b + 1 = ? AND c || d = ?", "equal equal"),
    ("SELECT a FROM t WHERE b = 1 + ?", "other"),
    ("SELECT a FROM t WHERE b COLLATE NOCASE = ?", "equal:b"),
    ("SELECT a FROM t WHERE b < ? AND c >= ? AND ? > d", "range:b range:c range:d"),
    ("SELECT a FROM t WHERE b BETWEEN ? AND ? AND c = ?", "range:b range:b equal:c"),
    ("SELECT a FROM t WHERE b NOT BETWEEN ? AND ?", "range:b range:b"),
    ("SELECT a FROM t WHERE b BETWEEN 1 AND ? AND c BETWEEN ? AND 2", "range:b range:c"),
    ("SELECT a FROM t WHERE (b BETWEEN ? AND (c + 1)) AND d = ?", "range:b equal:d"),
    ("SELECT a FROM t WHERE b IN (?, ?, ?)", "list:b list:b list:b"),
    ("SELECT a FROM t WHERE b IN (1, ?)", "list:b"),
    ("SELECT a FROM t WHERE b NOT IN (?, ?)", "other other"),
    ("SELECT a FROM t WHERE lower(b) IN (?)", "list"),
    ("SELECT a FROM t WHERE b IN (lower(?), ?)", "other list:b"),
    ("SELECT a FROM t WHERE b IN (SELECT c FROM u WHERE d = ?)", "equal:d"),
    ("SELECT a FROM t WHERE (b, c) IN ((?, ?), (?, ?))", "list:b list:c list:b list:c"),
    ("SELECT a FROM t WHERE (b, c) IN (VALUES (?, ?), (?, ?))", "list:b list:c list:b list:c"),
    ("SELECT a FROM t WHERE (b, t.c) = (?, ?)", "equal:b equal:c"),
    ("SELECT a FROM t WHERE (b, lower(c), d) > (?, ?, ?)", "range:b range range:d"),
    ("SELECT a FROM t WHERE b = ANY(?) AND c = SOME(?) AND d <> ALL(?)", "list:b list:c other"),
    ("SELECT a FROM t WHERE b LIKE ? AND c NOT LIKE ? AND d ILIKE ?", "like:b like:c like:d"),
    ("SELECT a FROM t WHERE b LIKE ? ESCAPE ?", "like:b other"),
    ("SELECT a FROM t WHERE b LIKE '%' || ? || '%'", "like:b"),
    ("SELECT a FROM t WHERE b LIKE ('%' || ?)", "like:b"),
    ("SELECT a FROM t WHERE b LIKE concat('%', ?, '%') AND c = ?", "like:b equal:c"),
    ("SELECT a FROM t WHERE lower(b) LIKE lower(?)", "like"),
    ("SELECT a FROM t WHERE b LIKE 'x' OR c = ?", "equal:c"),
    ("SELECT f(b LIKE 'x', ?) FROM t", "other"),
    ("SELECT a FROM t WHERE b GLOB ?", "like:b"),
    ("SELECT a FROM t LIMIT ?", "limit"),
    ("SELECT a FROM t LIMIT ? OFFSET ?", "limit offset"),
    ("SELECT a FROM t LIMIT ?, ?", "offset limit"),
    ("SELECT a FROM t LIMIT CAST(? AS BIGINT) + ? OFFSET (?)", "limit limit offset"),
    ("SELECT a FROM t OFFSET ? ROWS FETCH FIRST ? ROWS ONLY", "offset limit"),
    ("SELECT a FROM t WHERE b IN (SELECT c FROM u LIMIT ?) AND d = ?", "limit equal:d"),
    ("SELECT a FROM (SELECT a FROM t LIMIT ? OFFSET ?) AS x WHERE x.b = ? LIMIT ?", "limit offset equal:b limit"),
    ("SELECT a FROM t LIMIT (SELECT c FROM u WHERE d = ?)", "equal:d"),
    ("UPDATE t SET b = ?, c = coalesce(?, c) WHERE d = ? RETURNING e", "other other equal:d"),
    ("UPDATE t SET b = (SELECT c FROM u WHERE d = ?) WHERE e = ?", "equal:d equal:e"),
    ("INSERT INTO t (b, c) VALUES (?, ?), (?, ?)", "other other other other"),
    ("INSERT INTO t (b) VALUES (?) ON CONFLICT (b) DO UPDATE SET c = ? WHERE t.d = ?", "other other equal:d"),
    ("INSERT INTO t (b) SELECT c FROM u WHERE d = ?", "equal:d"),
    ("DELETE FROM t WHERE b = ?", "equal:b"),
    ("SELECT CASE WHEN b = ? THEN ? ELSE ? END FROM t", "equal:b other other"),
    ("SELECT f(?, ?) FROM t", "other other"),
    ("SELECT f(a => ?) FROM t", "other"),
    ("SELECT ? FROM t", "other"),
    ("SELECT a FROM t WHERE b @> ? AND c && ? AND d -> ? = ?", "other other other equal"),
    ("SELECT a FROM t WHERE b ~ ? AND c SIMILAR TO ?", "other other"),
    ("SELECT a FROM t JOIN u ON u.b = t.b AND u.c = ? WHERE d = ?", "equal:c equal:d"),
    ("SELECT a FROM t GROUP BY b HAVING count(*) > ? AND sum(c) > ?", "count range"),
    ("SELECT a FROM t WHERE (SELECT count(b) FROM u WHERE c = t.a) >= ? AND (SELECT d FROM u) = ?", "count equal"),
    ("SELECT a FROM t WHERE ? < (SELECT count(*) FROM u) AND ? = count", "count equal:count"),
    ("SELECT a FROM t WHERE b = 'x = ?' AND c = ? -- d = ?", "equal:c"),
    ("SELECT a FROM t WHERE b = ? /* LIMIT ? */ AND c > ?", "equal:b range:c"),
    ("WITH x AS (SELECT a FROM t WHERE b = ?) SELECT a FROM x WHERE c < ? LIMIT ?", "equal:b range:c limit"),
]


def written(role):
    return f"{role.role}:{role.column}" if role.column else role.role


def styled(text, style):
    """The text with another style's placeholders, where the `?` of it are no part of strings and comments."""
    marks = placeholders(text, "qmark")
    for number, mark in reversed(list(enumerate(marks, start=1))):
        sign = {"numeric": f":{number}", "numeric_dollar": f"${number}"}.get(style, STYLES[style])
        text = text[: mark.start] + sign + text[mark.end :]
    return text.replace("'%'", "'%%'") if style in ("format", "pyformat") else text


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("text", "expected"), CASES)
def test_roles(text, expected, style):
    assert " ".join(map(written, placeholder_roles(styled(text, style), style))) == expected.replace("B b", "B b")


@pytest.mark.parametrize(
    ("text", "style", "expected"),
    [
        (
            "SELECT a FROM t WHERE b = %(b)s::INTEGER AND c > %(c)s::TIMESTAMP WITHOUT TIME ZONE",
            "pyformat",
            "equal:b range:c",
        ),
        ("SELECT a FROM t WHERE b BETWEEN $1::INTEGER AND $2::INTEGER", "numeric_dollar", "range:b range:b"),
        ("SELECT a FROM t WHERE t.b::TEXT = $1::VARCHAR(20)", "numeric_dollar", "equal:b"),
        ("SELECT a FROM t WHERE $1::INTEGER = b", "numeric_dollar", "equal:b"),
        ('SELECT a FROM t WHERE B = %s AND "B" = %s', "format", "equal:b equal:B"),
        ("SELECT a FROM t WHERE B = ?", "qmark", "equal:B"),
        ("SELECT a FROM t WHERE b IN %s", "format", "list:b"),
        ("SELECT a FROM t WHERE b NOT IN %s", "format", "other"),
        ("SELECT a FROM t WHERE b LIKE $1::VARCHAR || '%'", "numeric_dollar", "like:b"),
        ("SELECT a FROM t WHERE b ? 'k' AND c ?| array['x'] AND d = $1", "numeric_dollar", "equal:d"),
        ("SELECT a FROM t WHERE b ? 'k' AND c ?| array['x'] AND d ? ? AND e = ?", "qmark", "other equal:e"),
        ("SELECT a FROM t WHERE b = ?1 AND c = ?1 AND d = ?", "qmark", "equal:b equal:c equal:d"),
        ("SELECT a FROM t WHERE b = :b AND c = @c AND d = $d", "named", "equal:b equal:c equal:d"),
        ("SELECT a[1:2], b::int FROM t WHERE c = :c", "named", "equal:c"),
        ("SELECT [a ?] FROM t WHERE `b ?` = ? AND c = ?", "qmark", "equal:b ? equal:c"),
        ("SELECT a FROM t WHERE b = %b AND c = %(c)b AND d = %t", "format", "equal:b equal:c equal:d"),
        ("SELECT a %% 5, 'x%%s', '%%(y)s' FROM t WHERE b = %s", "format", "equal:b"),
        ("SELECT $$ $1 $$, $a$ $1 $a$, E'\\' $1', foo$1 FROM t WHERE b = $1", "numeric_dollar", "equal:b"),
        ("SELECT /* /* $1 */ $1 */ a FROM t WHERE b = $1", "numeric_dollar", "equal:b"),
        ("SELECT /* /* ? */ a FROM t WHERE b = ?", "qmark", "equal:b"),
    ],
)
def test_roles_of_one_style(text, style, expected):
    assert " ".join(map(written, placeholder_roles(text, style))) == expected


@pytest.mark.parametrize(
    ("text", "style", "keys"),
    [
        ("SELECT ?, ?", "qmark", [0, 1]),
        ("SELECT ?2, ?1, ?", "qmark", [1, 0, 2]),
        ("SELECT $2, $1, $2", "numeric_dollar", [1, 0, 1]),
        ("SELECT :2, :1", "numeric", [1, 0]),
        ("SELECT %s, %s", "format", [0, 1]),
        ("SELECT %(a)s, %(b)s, %(a)s", "pyformat", ["a", "b", "a"]),
        ("SELECT :a, :b", "named", ["a", "b"]),
    ],
)
def test_keys(text, style, keys):
    assert [role.key for role in placeholder_roles(text, style)] == keys


HIDING = st.sampled_from(
    ["'{}'", '"{}"', "/* {} */", "-- {}\n", "'it''s {}'", '"q""q {}"', "x'{}'", "`{}`", "N'{}'", "/* ' */ '{}' -- \"\n"]
)
POSTGRES_HIDING = st.sampled_from(["E'{}\\''", "$$ {} $$", "$tag$ {} $tag$", "/* /* {} */ {} */", "e'\\\\' || '{}'"])
SQLITE_HIDING = st.sampled_from(["[{}]", "/* /* {} */"])
FILLING = st.text(alphabet="abc ,;=()<>", max_size=8)


@STEADY
@given(st.data(), st.sampled_from(sorted(STYLES)), st.integers(min_value=0, max_value=4))
def test_what_is_quoted_or_commented_hides_placeholders(data, style, count):
    """Between tokens that hide them stand `count` real ones; these are found, each where it stands."""
    sign = STYLES[style]
    hiding = st.one_of(HIDING, POSTGRES_HIDING if style in ("format", "pyformat", "numeric_dollar") else SQLITE_HIDING)
    pieces = ["SELECT "]
    places = []
    for number in range(count + 1):
        pieces.append(data.draw(hiding).format(*[data.draw(FILLING) + sign + data.draw(FILLING)] * 2) + " , ")
        if number < count:
            places.append(len("".join(pieces)))
            pieces.append(f"{sign} , ")
    found = placeholders("".join(pieces), style)
    assert [mark.start for mark in found] == places
    assert all(mark.end - mark.start == len(sign) for mark in found)


PIECES = (
    "SELECT FROM WHERE IN NOT AND OR BETWEEN LIKE ESCAPE LIMIT OFFSET FETCH SET VALUES ANY CAST ( ) , . ; = < >= <> ||"
    " ::int IS DISTINCT a t.b \"q r\" [x] `s` 'x' %% %s %(p)s ? ?1 :p :1 $1 $$ /* */ -- \n 1 .5 @> -> [ ]"
)
WORDS = st.lists(st.sampled_from(PIECES.split(" ")), max_size=30).map(" ".join)


@STEADY
@given(st.one_of(st.text(), WORDS, st.text(alphabet="'\"`$-/*\\ \n:?%()s1[]E")), st.sampled_from(sorted(STYLES)))
@example("(" * 3000 + "?", "qmark")
@example("IN (", "qmark")
@example("= ?", "qmark")
@example("? =", "qmark")
@example(") = ?", "qmark")
@example("a IN ((?, ?)", "qmark")
@example("BETWEEN AND ?", "qmark")
def test_any_text_has_roles(text, style):
    roles = placeholder_roles(text, style)
    marks = placeholders(text, style)
    assert len(roles) == len(marks)
    assert {role.role for role in roles} <= {"limit", "offset", "like", "equal", "list", "range", "other"}
    found = lexemes(text, style)
    assert all(text[token.start : token.end] == token.text for token in found if token.kind != "comment")
    assert all(one.end <= other.start for one, other in zip(found, found[1:], strict=False))


@pytest.mark.parametrize(
    "piece", ["(", ")", "?, ", "(?, ?), ", "a = ? AND ", "'", "/*", "f(", "a IN (?) AND ", "LIKE "]
)
def test_long_texts_cost_their_length(piece):
    """A quadratic step anywhere would not end within the patience of the reader."""
    assert placeholder_roles("SELECT a FROM t WHERE b IN (" + piece * 10_000 + " ?", "qmark") is not None
