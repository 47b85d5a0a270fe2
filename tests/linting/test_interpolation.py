"""What is put into the text of statements: values, names and pieces of SQL."""

from __future__ import annotations

import pytest

from pytest_dbguard.linting.python_source import python_snippets

HEAD = """
from sqlalchemy import text
from shop.settings import LIMIT, Status
from psycopg import sql

def find(session, cursor, name, ids, table, column, where, order, params, day, self):
    """


def only(code):
    (found,) = python_snippets(HEAD + code, "a.py")
    return found


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("cursor.execute(f\"SELECT 1 FROM t WHERE a = '{name}'\")", "SELECT 1 FROM t WHERE a = :name"),
        ('cursor.execute(f"SELECT 1 FROM t WHERE a = {name} AND b = 1")', "SELECT 1 FROM t WHERE a = :name AND b = 1"),
        ("cursor.execute(\"SELECT 1 FROM t WHERE a = '%s'\" % name)", "SELECT 1 FROM t WHERE a = :name"),
        ("cursor.execute(\"SELECT 1 FROM t WHERE a = '%(n)s'\" % {'n': name})", "SELECT 1 FROM t WHERE a = :name"),
        ("cursor.execute(\"SELECT 1 FROM t WHERE a = '{}'\".format(name))", "SELECT 1 FROM t WHERE a = :name"),
        ("cursor.execute(\"SELECT 1 FROM t WHERE a = '{n}'\".format(n=name))", "SELECT 1 FROM t WHERE a = :name"),
        ('cursor.execute("SELECT 1 FROM t WHERE a = \'" + name + "\'")', "SELECT 1 FROM t WHERE a = :name"),
        ('cursor.execute("SELECT 1 FROM t WHERE a = " + str(name))', "SELECT 1 FROM t WHERE a = :name"),
        (
            "cursor.execute(f\"SELECT 1 FROM t WHERE a LIKE '%{name}%'\")",
            "SELECT 1 FROM t WHERE a LIKE '%' || :name || '%'",
        ),
        ('cursor.execute(f"SELECT 1 FROM t WHERE a LIKE {name!r}")', "SELECT 1 FROM t WHERE a LIKE :name"),
        ('cursor.execute(f"SELECT 1 FROM t WHERE a IN {tuple(ids)}")', "SELECT 1 FROM t WHERE a IN (:ids)"),
        (
            "cursor.execute(f\"SELECT 1 FROM t WHERE a IN ({','.join(map(str, ids))})\")",
            "SELECT 1 FROM t WHERE a IN (:ids)",
        ),
        (
            "cursor.execute(f\"SELECT 1 FROM t WHERE a IN ({','.join(str(i) for i in ids)})\")",
            "SELECT 1 FROM t WHERE a IN (:ids)",
        ),
        (
            'cursor.execute(f"SELECT 1 FROM t WHERE a BETWEEN 1 AND {name}")',
            "SELECT 1 FROM t WHERE a BETWEEN 1 AND :name",
        ),
        ('cursor.execute(f"SELECT 1 FROM t ORDER BY a LIMIT {name}")', "SELECT 1 FROM t ORDER BY a LIMIT :name"),
        ("cursor.execute(f\"INSERT INTO t (a, b) VALUES (1, '{name}')\")", "INSERT INTO t (a, b) VALUES (1, :name)"),
        ('cursor.execute(f"UPDATE t SET a = {name} WHERE b = 1")', "UPDATE t SET a = :name WHERE b = 1"),
        ("cursor.execute(f'SELECT 1 FROM t WHERE a = \"{name}\"')", "SELECT 1 FROM t WHERE a = :name"),
        (
            'cursor.execute(f"SELECT 1 FROM t WHERE a = ? AND b = {name}", (1,))',
            "SELECT 1 FROM t WHERE a = ? AND b = ?",
        ),
        (
            'cursor.execute(f"SELECT 1 FROM t WHERE a = %s AND b = {name}", (1,))',
            "SELECT 1 FROM t WHERE a = %s AND b = %s",
        ),
        (
            'cursor.execute(f"SELECT 1 FROM t WHERE a = $1 AND b = {name}", 1)',
            "SELECT 1 FROM t WHERE a = $1 AND b = $2",
        ),
        (
            'cursor.execute(f"SELECT 1 FROM t WHERE a = %(a)s AND b = {name}", {})',
            "SELECT 1 FROM t WHERE a = %(a)s AND b = %(name)s",
        ),
        (
            "cursor.execute(f\"SELECT 1 FROM t WHERE a > now() - interval '{name} days'\")",
            "SELECT 1 FROM t WHERE a > now() - interval '1 day'",
        ),
        ("cursor.execute(f'SELECT 1 FROM t WHERE a = {f\"{name}\"}')", "SELECT 1 FROM t WHERE a = :name"),
        ("cursor.execute('SELECT 1 FROM t WHERE a = %s' % (name or None,))", "SELECT 1 FROM t WHERE a = :value"),
        ("cursor.execute('SELECT 1 FROM t WHERE a = {a}'.format(**params))", "SELECT 1 FROM t WHERE a = :a"),
        ("cursor.execute('SELECT 1 FROM t WHERE a = {a.b}'.format(a=name))", "SELECT 1 FROM t WHERE a = :name"),
        (
            'cursor.execute(f"INSERT INTO t (a, b) VALUES (1, 2), (3, {name})")',
            "INSERT INTO t (a, b) VALUES (1, 2), (3, :name)",
        ),
        (
            'cursor.execute(f"SELECT 1 FROM t WHERE a = ANY(ARRAY[{name}])")',
            "SELECT 1 FROM t WHERE a = ANY(ARRAY[:name])",
        ),
        ('cursor.execute(f"SELECT 1 FROM t LIMIT 5, {name}")', "SELECT 1 FROM t LIMIT 5, :name"),
        ('query = f"SELECT 1 FROM t WHERE a = {name}"\n    self.run(query)', "SELECT 1 FROM t WHERE a = :name"),
    ],
)
def test_values_become_parameters(code, text):
    found = only(code)
    assert found.text == text
    assert found.is_whole
    assert [each.is_value for each in found.interpolations] == [True]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ('cursor.execute(f"SELECT 1 FROM {table}")', "SELECT 1 FROM table_"),
        ('cursor.execute(f"SELECT 1 FROM app.{table}")', "SELECT 1 FROM app.table_"),
        ("cursor.execute(f'SELECT 1 FROM \"{table}\"')", 'SELECT 1 FROM "table_"'),
        ('cursor.execute(f"SELECT 1 FROM t_{name}")', "SELECT 1 FROM t_name"),
        ('cursor.execute(f"SELECT 1 FROM t WHERE a = {column}")', "SELECT 1 FROM t WHERE a = column_"),
        ("cursor.execute(f\"SELECT a AS '{name}' FROM t\")", "SELECT a AS 'name' FROM t"),
        ('cursor.execute(f"SELECT a, {name} FROM t")', "SELECT a, name FROM t"),
        ('cursor.execute(f"SELECT a.{name} FROM t")', "SELECT a.name FROM t"),
        ('cursor.execute(f"SELECT 1 FROM [{table}]")', "SELECT 1 FROM [table_]"),
        ('cursor.execute(f"SELECT {column} FROM t")', "SELECT column_ FROM t"),
        ('cursor.execute(f"SELECT 1 FROM t WHERE {column} = 1")', "SELECT 1 FROM t WHERE column_ = 1"),
        (
            'cursor.execute(f"SELECT 1 FROM t WHERE a = 1 AND {name} IS NULL")',
            "SELECT 1 FROM t WHERE a = 1 AND name IS NULL",
        ),
        ('cursor.execute(f"SELECT 1 FROM t ORDER BY {order}")', "SELECT 1 FROM t ORDER BY order_"),
        ('cursor.execute(f"SELECT 1 FROM t JOIN u ON t.a = u.{column}")', "SELECT 1 FROM t JOIN u ON t.a = u.column_"),
        ('cursor.execute(f"INSERT INTO t ({column}, b) VALUES (1, 2)")', "INSERT INTO t (column_, b) VALUES (1, 2)"),
        ('cursor.execute(f"SELECT lower({name}) FROM t")', "SELECT lower(name) FROM t"),
    ],
)
def test_names_stay_names(code, text):
    found = only(code)
    assert found.text == text
    assert found.is_whole
    assert found.is_generic
    assert [each.is_value for each in found.interpolations] == [False]


@pytest.mark.parametrize(
    "code",
    [
        'cursor.execute(f"SELECT 1 FROM t {where}")',
        'cursor.execute(f"SELECT 1 FROM t WHERE {where}")',
        'cursor.execute(f"SELECT 1 FROM t WHERE a = 1 AND ({where})")',
        'cursor.execute("SELECT 1 FROM t " + where)',
        'cursor.execute("SELECT 1 FROM t WHERE %s" % where)',
        'cursor.execute(f"UPDATE t SET {where}")',
        'cursor.execute(f"UPDATE t SET a = 1, {name}")',
        'cursor.execute(f"SELECT 1 FROM ({name}) AS u")',
        'cursor.execute(f"SELECT 1 FROM t WHERE a = {self.subquery}")',
        'cursor.execute(f"SELECT 1 FROM t WHERE a IN ({self.subquery})")',
        'cursor.execute(f"SELECT coalesce(a, {name}) FROM t")',
    ],
)
def test_pieces_of_sql_leave_a_statement_in_part(code):
    found = only(code)
    assert not found.is_whole
    assert [each.is_value for each in found.interpolations] == [False]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (
            "cursor.execute(f\"SELECT 1 FROM t WHERE a IN ({','.join('?' * len(ids))})\", ids)",
            "SELECT 1 FROM t WHERE a IN (?)",
        ),
        (
            "cursor.execute(\"SELECT 1 FROM t WHERE a IN (%s)\" % ', '.join(['%s'] * len(ids)), ids)",
            "SELECT 1 FROM t WHERE a IN (%s)",
        ),
        (
            "marks = ', '.join('?' for _ in ids)\n    cursor.execute(f'SELECT 1 FROM t WHERE a IN ({marks})', ids)",
            "SELECT 1 FROM t WHERE a IN (?)",
        ),
        (
            "n = ','.join(f':id_{i}' for i in ids)\n    session.execute(text(f'SELECT 1 FROM t WHERE a IN ({n})'))",
            "SELECT 1 FROM t WHERE a IN (:id_i)",
        ),
        ('cursor.execute(f"SELECT 1 FROM t WHERE a IN ({params})", ids)', "SELECT 1 FROM t WHERE a IN (:params)"),
        (
            'cursor.execute(f"SELECT 1 FROM t WHERE a = {self.placeholder}", ids)',
            "SELECT 1 FROM t WHERE a = :placeholder",
        ),
        ('cursor.execute(f"SELECT 1 FROM t LIMIT {LIMIT}")', "SELECT 1 FROM t LIMIT :limit"),
        ("cursor.execute(f\"SELECT 1 FROM t WHERE a = '{Status.OPEN.value}'\")", "SELECT 1 FROM t WHERE a = :value"),
        ('cursor.execute(f"SELECT 1 FROM t LIMIT {int(name)}")', "SELECT 1 FROM t LIMIT :name"),
        ('cursor.execute("SELECT 1 FROM t LIMIT %d" % name)', "SELECT 1 FROM t LIMIT :name"),
        ("cursor.execute(f\"SELECT 1 FROM t WHERE a > '{day:%Y-%m-%d}'\")", "SELECT 1 FROM t WHERE a > :day"),
        ("cursor.execute(f\"SELECT 1 FROM t WHERE a > '{day.isoformat()}'\")", "SELECT 1 FROM t WHERE a > :isoformat"),
        ('cursor.execute(f"SELECT 1 FROM t WHERE a = {quote_literal(name)}")', "SELECT 1 FROM t WHERE a = :name"),
        (
            "cursor.execute(f\"SELECT 1 FROM t WHERE a = {'true' if name else 'false'}\")",
            "SELECT 1 FROM t WHERE a = false",
        ),
        (
            "cursor.execute(f\"SELECT 1 FROM t WHERE a IN ({','.join(map(int, ids))})\")",
            "SELECT 1 FROM t WHERE a IN (:ids)",
        ),
        ("cursor.execute('SELECT 1 FROM t LIMIT {:d}'.format(name))", "SELECT 1 FROM t LIMIT :name"),
        (
            'cursor.execute("SELECT 1 FROM t WHERE a IN (%s)" % ",".join(itertools.repeat("?", 3)))',
            "SELECT 1 FROM t WHERE a IN (?)",
        ),
        ('cursor.execute(f"SELECT 1 FROM t WHERE a IN (${name})", ids)', "SELECT 1 FROM t WHERE a IN ($1)"),
        ("cursor.execute(\"SELECT '100%%' FROM t LIMIT %d\" % name)", "SELECT '100%' FROM t LIMIT :name"),
        ('size = len(ids)\n    cursor.execute(f"SELECT 1 FROM t LIMIT {size}")', "SELECT 1 FROM t LIMIT :size"),
        ('cursor.execute(f"SELECT 1 FROM {quote_ident(table)}")', "SELECT 1 FROM table_"),
        ('cursor.execute(f"SELECT 1 FROM t -- {name}\\n")', "SELECT 1 FROM t -- name"),
        (
            'cursor.execute(sql.SQL("SELECT 1 FROM {} WHERE a = {}").format(sql.Identifier(table), sql.Literal(name)))',
            "SELECT 1 FROM identifier WHERE a = :literal",
        ),
    ],
)
def test_what_cannot_hold_anybodys_input_is_not_told(code, text):
    found = only(code)
    assert found.text == text
    assert [each for each in found.interpolations if each.is_value] == []


@pytest.mark.parametrize(
    ("code", "is_generic"),
    [
        ('cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")', True),
        ('cursor.execute(f"SELECT * FROM t WHERE a = {name!r}")', False),
        ('cursor.execute("SELECT * FROM t")', False),
    ],
)
def test_names_that_are_put_in_safely_stand_for_any_table_too(code, is_generic):
    assert only(code).is_generic is is_generic


def test_directions_of_sorts_are_no_pieces():
    found = only('cursor.execute(f"SELECT 1 FROM t ORDER BY {column} {order}")')
    assert (found.text, found.is_whole) == ("SELECT 1 FROM t ORDER BY column_ ASC", True)
    assert [each.is_value for each in found.interpolations] == [False, False]


def test_fragments_are_told_only_for_the_values_in_them():
    found = only("session.execute(select(A).where(text(f\"name = '{name}'\")).order_by(text(f'{order} DESC')))")
    assert (found.text, found.is_whole) == ("name = :name", False)
    assert [(each.expression, each.is_quoted) for each in found.interpolations] == [("name", True)]


def test_a_beginning_from_elsewhere_hides_no_value():
    found = only(
        "cursor.execute(f\"{self.base} WHERE a = '{name}'\")\n    cursor.execute(f'{order} {table}')\n    'SELECT '"
    )
    assert not found.is_whole
    assert [each.expression for each in found.interpolations if each.is_value] == ["name"]


def test_conditions_gathered_in_a_list():
    code = """parts = []
    parts.append(f"a = '{name}'")
    if ids:
        parts.append("b = 1")
    cursor.execute("SELECT 1 FROM t WHERE " + " AND ".join(parts))
"""
    found = only(code)
    assert (found.text, found.is_whole) == ("SELECT 1 FROM t WHERE a = :name AND b = 1", False)
    (value,) = found.interpolations
    assert (value.site.line, value.is_value, value.is_quoted) == (8, True, True)


def test_what_is_known_of_an_interpolation():
    found = only("cursor.execute(f\"SELECT 1 FROM {table} WHERE a = '{self.user['name']}' OR a = {name}\")")
    first, second, third = found.interpolations
    assert (first.expression, first.is_value, first.name, first.how) == ("table", False, "table", "f-string")
    assert (second.expression, second.is_quoted, second.name) == ("self.user['name']", True, "name")
    assert (third.expression, third.is_quoted, third.name) == ("name", False, "name")
    assert found.text == "SELECT 1 FROM table_ WHERE a = :name OR a = :name_2"
    line = (HEAD + "cursor.execute(f\"SELECT 1 FROM {table} WHERE a = '{self.user['name']}' OR a = {name}\")").split(
        "\n"
    )
    assert line[first.site.line - 1][first.site.column - 1 :].startswith("table}")
    assert first.site.function == "find"


def test_long_expressions_are_cut():
    (value,) = only(f"cursor.execute('SELECT 1 FROM t WHERE a = ' + {'+'.join(['name'] * 30)})").interpolations[:1]
    assert len(value.expression) <= 60
