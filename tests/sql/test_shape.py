"""Shapes: equal for what differs in literals only, and the facts that rules ask of a text."""

from __future__ import annotations

import pytest

from pytest_dbguard.sql.shape import read_statement


def shape(text):
    return read_statement(text).shape.text


# each group: texts of one shape
SAME = [
    [
        "SELECT a FROM t WHERE b = 1",
        "SELECT a FROM t WHERE b = 200",
        "SELECT a FROM t WHERE b=?",
        "SELECT a FROM t WHERE b = -1",
    ],
    ["SELECT a FROM t WHERE b = ?", "SELECT a FROM t WHERE b = %s", "SELECT a FROM t WHERE b = %(b_1)s"],
    ["SELECT a FROM t WHERE b = :b_1", "SELECT a FROM t WHERE b = $1", "SELECT a FROM t WHERE b = 'x'"],
    [
        "SELECT a FROM t WHERE b = %(b_1)s::INTEGER",
        "SELECT a FROM t WHERE b = $1::VARCHAR(9)",
        "SELECT a FROM t WHERE b = ?",
    ],
    ["SELECT a FROM t WHERE b = $1::TIMESTAMP WITH TIME ZONE", "SELECT a FROM t WHERE b = '2020'::date"],
    ["SELECT  a\n  FROM t", "SELECT a FROM t", "SELECT a FROM t;", "SELECT a /* why */ FROM t -- end"],
    [
        "SELECT a FROM t WHERE b IN (1)",
        "SELECT a FROM t WHERE b IN (1, 2, 3)",
        "SELECT a FROM t WHERE b IN(1,2)",
        "SELECT a FROM t WHERE b in (?, ?)",
    ],
    ["SELECT a FROM t WHERE b IN (%(b_1_1)s::INTEGER, %(b_1_2)s::INTEGER)", "SELECT a FROM t WHERE b IN ('x')"],
    ["SELECT a FROM t WHERE (b, c) IN ((1, 2))", "SELECT a FROM t WHERE (b, c) IN ((?, ?), (?, ?))"],
    ["SELECT a FROM t WHERE b NOT IN (1)", "SELECT a FROM t WHERE b NOT IN (1, -2)"],
    [
        "INSERT INTO t (a, b) VALUES (1, 2)",
        "INSERT INTO t (a, b) VALUES (1, 2), (3, 4), (5, 6)",
        "INSERT INTO t (a, b) VALUES(?, ?)",
        "INSERT INTO t (a, b) VALUES(?,?),(?,?)",
    ],
    [
        "INSERT INTO t (a) VALUES (lower('x')) RETURNING id",
        "INSERT INTO t (a) VALUES (lower(?)), (lower(?)) RETURNING id",
    ],
    ["SELECT 'it''s', E'a\\'b', $$c$$, $q$d$q$, x'ff'", "SELECT ?, ?, ?, ?, ?", "SELECT 1, 2.5, .5e3, 0xff, 1_000"],
    ["SELECT a FROM t WHERE b LIKE ? || '%'", "SELECT a FROM t WHERE b LIKE %s || '%%'"],
    ["SELECT a FROM t WHERE b LIKE '%'", "SELECT a FROM t WHERE b LIKE 'x%'"],
    ["SELECT a FROM t LIMIT 10 OFFSET 20", "SELECT a FROM t LIMIT -1 OFFSET 0", "SELECT a FROM t LIMIT ? OFFSET ?"],
]


@pytest.mark.parametrize("texts", SAME, ids=lambda texts: texts[0])
def test_same_shape(texts):
    assert {shape(text) for text in texts} == {shape(texts[0])}
    assert len({read_statement(text).shape.id for text in texts}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT a FROM t", "SELECT b FROM t"),
        ("SELECT a FROM t", "SELECT a FROM u"),
        ("SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b > 1"),
        ("SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b = c"),
        ("SELECT a FROM t WHERE b IN (1)", "SELECT a FROM t WHERE b NOT IN (1)"),
        ("SELECT a FROM t WHERE b IN (1)", "SELECT a FROM t WHERE b IN (SELECT 1)"),
        ("SELECT a FROM t WHERE (b, c) IN ((1, 2))", "SELECT a FROM t WHERE b IN (1, 2) AND c"),
        ("SELECT a - 1 FROM t", "SELECT a + 1 FROM t"),
        ("INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a, b) VALUES (1, 2)"),
        ('SELECT "A" FROM t', "SELECT a FROM t"),
        ("SELECT true FROM t", "SELECT false FROM t"),
        ("SELECT f(1) FROM t", "SELECT f(1, 2) FROM t"),
        ("SELECT a::int FROM t", "SELECT a::text FROM t"),
        ("SELECT a FROM t WHERE b LIKE ? || '%'", "SELECT a FROM t WHERE b LIKE '%' || ?"),
    ],
)
def test_different_shapes(one, other):
    assert shape(one) != shape(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT a-5, count(*), t.b FROM public.t", "SELECT a - ?, count(*), t.b FROM public.t"),
        ("SELECT a FROM t WHERE (b=-5 OR b<-1)", "SELECT a FROM t WHERE (b = ? OR b < ?)"),
        ('SELECT t.a AS "a 1" FROM t AS "T"', 'SELECT t.a AS "a 1" FROM t AS "T"'),
        ("SELECT j->>'a', b||'x' FROM t", "SELECT j ->> ?, b || ? FROM t"),
        ("INSERT INTO t(a) VALUES (now(), 1)", "INSERT INTO t(a) VALUES (now(), ?)"),
        ("select * from t where id in (1, 2)", "select * from t where id IN (?)"),
        ("SELECT 'a' 'b'", "SELECT ? ?"),
        ("SELECT a LIKE '%%' || %s || '%%', b || '%_x'", "SELECT a LIKE '%' || ? || '%', b || ?"),
        ("SELECT 'an end is missing FROM t", "SELECT ?"),
        ("::int", "::int"),
        ("", ""),
        (" ; ", ""),
    ],
)
def test_text_of_the_shape(text, expected):
    assert shape(text) == expected


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("select 1", "SELECT"),
        ("(SELECT 1) UNION (SELECT 2)", "SELECT"),
        ("/* why */ SELECT 1", "SELECT"),
        ("INSERT INTO t VALUES (1)", "INSERT"),
        ("INSERT OR REPLACE INTO t VALUES (1)", "INSERT"),
        ("REPLACE INTO t VALUES (1)", "REPLACE"),
        ("UPDATE t SET a = 1", "UPDATE"),
        ("DELETE FROM t", "DELETE"),
        ("MERGE INTO t USING u ON a = b WHEN MATCHED THEN DELETE", "MERGE"),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "SELECT"),
        ("WITH RECURSIVE x AS (SELECT 1 UNION SELECT 2) SELECT * FROM x", "SELECT"),
        ("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", "INSERT"),
        ("WITH x AS (SELECT 1) UPDATE t SET a = 1", "UPDATE"),
        ("WITH x AS (SELECT 1), y AS (SELECT replace(a, 'b', 'c') FROM t) SELECT * FROM y", "SELECT"),
        ("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "DELETE"),
        ("WITH x AS MATERIALIZED (UPDATE t SET a = 1 RETURNING *) SELECT * FROM x", "UPDATE"),
        ("WITH x AS (SELECT 1)", "SELECT"),
        ("BEGIN IMMEDIATE", "TRANSACTION"),
        ("START TRANSACTION READ ONLY", "TRANSACTION"),
        ("COMMIT", "TRANSACTION"),
        ("ROLLBACK TO SAVEPOINT sa_1", "TRANSACTION"),
        ("SAVEPOINT sa_1", "TRANSACTION"),
        ("RELEASE SAVEPOINT sa_1", "TRANSACTION"),
        ("PRAGMA foreign_keys = ON", "PRAGMA"),
        ("CREATE TABLE t (a INTEGER)", "CREATE"),
        ("SHOW search_path", "SHOW"),
        ("EXPLAIN SELECT 1", "EXPLAIN"),
        ("", ""),
        ("12", ""),
    ],
)
def test_verb(text, verb):
    found = read_statement(text)
    assert found.verb == verb
    assert found.is_read == (verb == "SELECT")
    assert found.is_write == (verb in ("INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"))


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("SELECT 1", ()),
        ("SELECT a FROM t", ("t",)),
        ("SELECT a FROM public.t", ("t",)),
        ('SELECT a FROM "main"."Order Items" AS o', ("Order Items",)),
        ("SELECT a FROM `shop`.`orders`", ("orders",)),
        ("SELECT a FROM ONLY t", ("t",)),
        ("SELECT a FROM t JOIN u ON t.a = u.a LEFT OUTER JOIN v ON true", ("t", "u", "v")),
        ("SELECT a FROM t JOIN t AS t_1 ON t.a = t_1.b", ("t",)),
        ("SELECT label.a FROM label, order_labels WHERE label.id = order_labels.label_id", ("label", "order_labels")),
        ("SELECT a FROM t AS x, u y, (SELECT b FROM v, w) z, k WHERE f(a, c) ORDER BY a, d", ("t", "u", "v", "w", "k")),
        ("SELECT a FROM t GROUP BY b, c HAVING d ORDER BY e, f LIMIT 1, 2", ("t",)),
        ("SELECT a, b FROM t WHERE c IN (d, e) UNION SELECT f, g FROM u", ("t", "u")),
        ("SELECT a FROM t FOR UPDATE OF t, u", ("t",)),
        ("SELECT a FROM (SELECT b FROM t) AS anon_1", ("t",)),
        ("SELECT a FROM LATERAL (SELECT b FROM t)", ("t",)),
        ("SELECT EXTRACT(year FROM d), TRIM(BOTH 'x' FROM e), SUBSTRING(f FROM 1 FOR 2) FROM t", ("t",)),
        ("SELECT a FROM t WHERE b IS DISTINCT FROM c AND d IS NOT DISTINCT FROM e", ("t",)),
        ("INSERT INTO t (a, b) SELECT c, d FROM u", ("t", "u")),
        ("INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2, c = 3", ("t",)),
        ("INSERT INTO t (a) SELECT b FROM u ON DUPLICATE KEY UPDATE b = 2, c = 3", ("t", "u")),
        ("UPDATE t SET a = 1, b = 2 FROM u, v WHERE t.a = u.a", ("t", "u", "v")),
        ("DELETE FROM t WHERE a = 1", ("t",)),
        ("WITH x AS (SELECT a FROM t) SELECT a FROM x", ("t", "x")),
        ("SELECT a FROM t FOR UPDATE SKIP LOCKED", ("t",)),
        ("SELECT a FROM t FOR NO KEY UPDATE NOWAIT", ("t",)),
        ("SELECT a FROM", ()),
        ("SELECT a FROM t)", ("t",)),
    ],
)
def test_tables(text, tables):
    found = read_statement(text)
    assert found.tables == tables
    assert found.table == (tables[0] if tables else found.verb.lower())


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("SELECT a FROM t WHERE b = ?", ["equal"]),
        ("SELECT a FROM t WHERE b IN (?, ?) AND c = ?", ["list", "list", "equal"]),
        ("SELECT a FROM t WHERE b IN ($1::INTEGER, $2::INTEGER)", ["list", "list"]),
        ("SELECT a FROM t WHERE b > ? AND c <= ?", ["range", "range"]),
        ("SELECT a FROM t WHERE ? < b", ["range"]),
        ("SELECT a FROM t WHERE b BETWEEN ? AND ?", ["range", "range"]),
        ("SELECT a FROM t WHERE (b, c) > (?, ?)", ["range", "range"]),
        ("SELECT a FROM t WHERE (b, c) > (%(b)s::INTEGER, %(c)s::INTEGER)", ["range", "range"]),
        ("SELECT a FROM t WHERE (b, c) = (?, ?)", ["equal", "equal"]),
        ("SELECT a FROM t LIMIT ? OFFSET ?", ["limit", "offset"]),
        ("SELECT a FROM t FETCH FIRST ? ROWS ONLY", ["other"]),
        ("SELECT a FROM t WHERE b LIKE ?", ["other"]),
        ("SELECT f(?, ?)", ["other", "other"]),
        ("INSERT INTO t (a, b) VALUES (?, ?)", ["other", "other"]),
        ("UPDATE t SET a = ? WHERE b <> ?", ["equal", "other"]),
        ("?", ["other"]),
    ],
)
def test_roles(text, roles):
    assert [placeholder.role for placeholder in read_statement(text).placeholders] == roles


def test_names_of_parameters():
    text = "SELECT %(a_1)s, :b_1, $1, %s, ? FROM t"
    assert [placeholder.name for placeholder in read_statement(text).placeholders] == ["a_1", "b_1", None, None, None]


def test_literals_are_no_placeholders():
    assert read_statement("SELECT a FROM t WHERE b = ':x' AND c IN (1, 2) LIMIT 5").placeholders == ()


@pytest.mark.parametrize(
    ("text", "longest"),
    [
        ("SELECT a FROM t WHERE b = 1", 0),
        ("SELECT a FROM t WHERE b IN (1)", 1),
        ("SELECT a FROM t WHERE b IN (1, 2) OR c IN (1, 2, 3)", 3),
        ("SELECT a FROM t WHERE (b, c) IN ((1, 2), (3, 4))", 2),
        ("SELECT a FROM t WHERE b IN (f(1, 2), 3)", 2),
        ("SELECT a FROM t WHERE b IN (SELECT c, d FROM u)", 0),
        ("SELECT a FROM t WHERE b IN (1, 2", 2),
        ("SELECT a FROM t WHERE b IN", 0),
    ],
)
def test_longest_list(text, longest):
    assert read_statement(text).longest_list == longest


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("SELECT 1", 0),
        ("INSERT INTO t VALUES (1, 2)", 1),
        ("INSERT INTO t VALUES (1, 2), (3, 4), (f(5), 6)", 3),
        ("INSERT INTO t VALUES (1), (2) ON CONFLICT (a) DO NOTHING", 2),
        ("INSERT INTO t VALUES (1), (2) RETURNING (a)", 2),
        ("INSERT INTO t DEFAULT VALUES", 0),
    ],
)
def test_value_rows(text, rows):
    assert read_statement(text).value_rows == rows


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("SELECT 1", set()),
        ("SELECT nextval('s')", set()),
        ("SELECT EXTRACT(year FROM now())", set()),
        ("SELECT a FROM t", {"has_from"}),
        ("SELECT a FROM (SELECT 1) AS x", {"has_from"}),
        ("SELECT a FROM t LIMIT 1", {"has_from", "has_limit", "moves"}),
        ("SELECT a FROM t FETCH NEXT ? ROWS ONLY", {"has_from", "has_limit", "moves"}),
        ("SELECT a FROM t FOR UPDATE", {"has_from", "locks_rows"}),
        ("SELECT a FROM t FOR NO KEY UPDATE", {"has_from", "locks_rows"}),
        ("SELECT a FROM t FOR KEY SHARE", {"has_from", "locks_rows"}),
        ("SELECT a FROM t FOR UPDATE SKIP LOCKED", {"has_from", "locks_rows", "skips_locked"}),
        ("SELECT a FROM t WHERE b IN (1, 2)", {"has_from"}),
        ("SELECT a FROM t WHERE b IN (1, 2, 3)", {"has_from", "moves"}),
        ("SELECT a FROM t WHERE b > ?", {"has_from"}),
        ("SELECT a FROM t WHERE b >= ? AND b < ?", {"has_from", "moves"}),
        ("UPDATE t SET a = 'FOR UPDATE SKIP LOCKED LIMIT 1'", set()),
        ("DELETE FROM t", {"has_from"}),
    ],
)
def test_facts(text, facts):
    found = read_statement(text)
    names = ("has_from", "locks_rows", "skips_locked", "has_limit", "moves")
    assert {name for name in names if getattr(found, name)} == facts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SAVEPOINT sa_1", True),
        ("savepoint x", True),
        ("RELEASE SAVEPOINT sa_1", False),
        ("ROLLBACK TO SAVEPOINT sa_1", False),
        ("BEGIN", False),
        ("SELECT savepoint FROM t", False),
    ],
)
def test_what_sets_a_savepoint(text, expected):
    assert read_statement(text).sets_savepoint == expected


@pytest.mark.parametrize(
    ("statement", "ignores"),
    [
        ("SELECT 1 /* dbguard: ignore[DBG103] few */", ("DBG103",)),
        ("/* dbguard: ignore[DBG103, DBG1:a.*] */ SELECT 1", ("DBG103", "DBG1:a.*")),
        ("SELECT 1 -- dbguard: ignore[DBG103]\nFROM a", ("DBG103",)),
        ("SELECT 1 -- dbguard: ignore[DBG103]\n/* dbguard: ignore[DBG105] */", ("DBG103", "DBG105")),
        ("SELECT 1 /* dbguard: ignore */", ("",)),
        ("SELECT 1 /* dbguard: ignore[] */", ("",)),
        ("SELECT 1 /* dbguard: ignore[DBG103 */", ("",)),
        ("SELECT 1 /* dbguard: file-ignore[DBG103] */", ("",)),
        ("SELECT '/* dbguard: ignore[DBG103] */'", ()),
        ('SELECT "-- dbguard: ignore[DBG103]"', ()),
        ("SELECT $$ /* dbguard: ignore[DBG103] */ $$", ()),
        ("SELECT 1 /* about dbguard: nothing */", ()),
        ("SELECT 1", ()),
    ],
)
def test_ignore_comments(statement, ignores):
    assert read_statement(statement).ignores == ignores


def test_comments_are_not_part_of_the_shape():
    with_comment = read_statement("SELECT a /* dbguard: ignore[DBG103] */ FROM t -- dbguard: ignore[DBG105]")
    assert with_comment.shape == read_statement("SELECT a FROM t").shape
