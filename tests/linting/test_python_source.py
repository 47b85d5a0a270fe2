"""Which strings of Python files are statements, and where they stand."""

from __future__ import annotations

import textwrap

import pytest

from pytest_dbguard.linting.model import Origin
from pytest_dbguard.linting.python_source import python_snippets, read_python


def snippets(source):
    return python_snippets(textwrap.dedent(source).lstrip("\n"), "app/repo.py")


def texts(source):
    return [snippet.text for snippet in snippets(source)]


def in_source(snippet, source, offset):
    """Return what stands in the source where an offset of the text is said to."""
    start, line, column = [piece for piece in snippet.lines if piece[0] <= offset][-1]
    return source.split("\n")[line - 1][column - 1 + offset - start :]


@pytest.mark.parametrize(
    "call",
    [
        'session.execute(text("SELECT * FROM users"))',
        'session.execute(sa.text("SELECT * FROM users"))',
        'session.execute(db.text("SELECT * FROM users").bindparams(a=1))',
        'session.execute(sql_text("SELECT * FROM users"))',
        'connection.exec_driver_sql("SELECT * FROM users")',
        'cursor.execute("SELECT * FROM users", (1,))',
        'cursor.execute(query="SELECT * FROM users")',
        'cursor.executemany("SELECT * FROM users", rows)',
        'await connection.fetch("SELECT * FROM users")',
        'await connection.fetchrow("SELECT * FROM users")',
        'pd.read_sql("SELECT * FROM users", engine)',
        'pd.read_sql(sql="SELECT * FROM users", con=engine)',
        'op.execute("SELECT * FROM users")',
        'User.objects.raw("SELECT * FROM users")',
        'execute_values(cursor, "SELECT * FROM users", rows)',
        'self._run_query("SELECT * FROM users")',
        'cursor.execute(sql.SQL("SELECT * FROM users"))',
        'cursor.execute("SELECT *" " FROM users")',
        'cursor.execute("SELECT *" + " FROM users")',
        'cursor.execute(" ".join(["SELECT *", "FROM users"]))',
        'cursor.execute(textwrap.dedent("SELECT * FROM users"))',
        'cursor.execute("SELECT * FROM {}".format("users"))',
        'cursor.execute("SELECT * FROM %s" % "users")',
        'cursor.execute(f"SELECT * FROM {TABLE}")',
        'cursor.execute((query := "SELECT * FROM users"))',
        'cursor.execute("SELECT * FROM users;")',
        'cursor.execute("  \\n SELECT * FROM users\\n")',
        'return "SELECT * FROM users"',
        'self.query = "SELECT * FROM users"',
        'queries = {"all": "SELECT * FROM users"}',
        'find = partial(run, sql="SELECT * FROM users")',
    ],
)
def test_strings_that_are_statements(call):
    source = f"""
        import sqlalchemy as sa
        from sqlalchemy import text, text as sql_text

        TABLE = "users"


        async def run(cursor):
            {call}
    """
    (found,) = snippets(source)
    assert (found.text, found.style, found.is_whole) == ("SELECT * FROM users", "qmark", True)
    assert found.site.function == "run"


@pytest.mark.parametrize(
    "code",
    [
        '"""SELECT a FROM b"""',
        'raise ValueError("SELECT a FROM b is wrong")',
        'logger.info("DELETE FROM users")',
        'print("SELECT a FROM b")',
        'MESSAGE = "Select a file from the list"',
        'message = "select a file from the list"',
        'message = "Update your settings and set a name = value"',
        'message = "select one of your files from here"',
        'return "Delete from cart"',
        'verb = "SELECT"',
        'verbs = ["SELECT", "INSERT INTO"]',
        'frame.query("select == 1")',
        'executor.execute("update everything")',
        'cursor.execute("CREATE TABLE a (b int)")',
        'cursor.execute("SET search_path = a")',
        'cursor.execute("BEGIN")',
        'session.execute(select(User).where(text("id > 1")))',
        "session.execute(query)",
        'text("now()")',
        'button.text("Select a file from the list")',
        'TEMPLATE = "SELECT * FROM {table}"',
        'cursor.execute(b"SELECT 1")',
    ],
)
def test_strings_that_are_none(code):
    assert texts(f"from sqlalchemy import text\n{code}\n") == []


def test_a_file_without_statements_is_not_even_parsed():
    assert python_snippets("this is no Python, with values", "a.py") == ()


def test_what_python_cannot_read_is_a_problem():
    found = read_python('x = 1\ncursor.execute("SELECT 1" from', "app/a.py")
    assert found.snippets == ()
    assert found.problems == ("app/a.py:2: not read (no Python: invalid syntax)",)


def test_places_of_a_text_with_escapes_and_several_literals():
    source = textwrap.dedent(
        '''
        # é
        def find(connection):
            é = connection.execute(
                "-- dbguard: ignore[DBG203]\\n"
                "SELECT 'é\\t', "  # names
                r"a FROM t"
                """
                  WHERE b = %s
                OFFSET 5000""", (1,)
            )
        '''
    ).lstrip()
    (found,) = python_snippets(source, "a.py")
    assert found.text.startswith("-- dbguard: ignore[DBG203]\nSELECT 'é\t', a FROM t\n")
    assert (found.site.line, found.site.column, found.site.function) == (5, 10, "find")
    assert (found.site.end_line, found.site.end_column) == (9, 20)
    assert (found.style, found.origin) == ("format", Origin.PYTHON)
    for word in ("SELECT", "', a", "a FROM", "WHERE", "OFFSET 5000"):
        assert in_source(found, source, found.text.index(word)).startswith(word[:1])
    assert in_source(found, source, found.text.index("OFFSET")) == 'OFFSET 5000""", (1,)'


def test_windows_line_ends():
    (found,) = python_snippets('a = 1\r\nc.execute("""\r\n  SELECT 1\r\n  FROM t""")\r\n', "a.py")
    assert (found.text, found.site.line, found.site.column) == ("SELECT 1\n  FROM t", 3, 3)
    assert found.lines[-1] == (9, 4, 1)


def test_constants_stand_where_they_are_defined_and_are_told_once():
    source = """
        ALL = "SELECT a FROM users"

        class Users:
            ONE = "SELECT b FROM users WHERE id = :id"

            def find(self, session):
                session.execute(text(ALL))
                session.execute(text(ALL))
                session.execute(text(self.ONE))
                session.execute(text(Users.ONE))
    """
    found = [(each.text, each.site.line, each.site.function, each.style) for each in snippets(source)]
    assert found == [
        ("SELECT a FROM users", 1, "", "qmark"),
        ("SELECT b FROM users WHERE id = :id", 4, "Users", "named"),
    ]


def test_a_constant_that_others_go_on_from_is_no_statement_of_its_own():
    source = """
        BASE = "SELECT a FROM users"

        def find(cursor):
            cursor.execute(BASE + " WHERE id = ?", (1,))
    """
    (found,) = snippets(source)
    assert found.text == "SELECT a FROM users WHERE id = ?"
    assert (found.site.line, found.site.column, found.site.function) == (4, 20, "find")
    assert found.lines[0][1:] == (1, 9)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('sql = "SELECT 1 FROM a"\nsql += " WHERE b"\ncursor.execute(sql)', [("SELECT 1 FROM a WHERE b", True)]),
        ('sql = "SELECT 1 FROM a"\nsql = sql + " WHERE b"\ncursor.execute(sql)', [("SELECT 1 FROM a WHERE b", True)]),
        ('sql = "SELECT 1 FROM a"\nsql = f"{sql} WHERE b"\ncursor.execute(sql)', [("SELECT 1 FROM a WHERE b", True)]),
        (
            'sql = "SELECT 1 FROM a"\nif x:\n    sql += " WHERE b"\ncursor.execute(sql)',
            [("SELECT 1 FROM a WHERE b", False)],
        ),
        (
            'sql = "SELECT 1 FROM a"\nfor x in y:\n    sql += " OR b"\ncursor.execute(sql)',
            [("SELECT 1 FROM a OR b", False)],
        ),
        ('sql = "SELECT 1 FROM a"\nsql = limited(sql)\ncursor.execute(sql)', [("SELECT 1 FROM a", True)]),
        ('sql = "SELECT 1 FROM a"\nif x:\n    sql = limited(sql)\ncursor.execute(sql)', [("SELECT 1 FROM a", False)]),
        (
            'sql = "SELECT 1 FROM a"\ncursor.execute(sql)\nsql = "SELECT 2 FROM b"\ncursor.execute(sql)',
            [("SELECT 1 FROM a", True), ("SELECT 2 FROM b", True)],
        ),
        (
            'if x:\n    sql = "SELECT 1 FROM a"\nelse:\n    sql = "SELECT 2 FROM b"\ncursor.execute(sql)',
            [("SELECT 1 FROM a", True), ("SELECT 2 FROM b", True)],
        ),
        ('cursor.execute("SELECT 1 FROM a" + (" WHERE b" if x else ""))', [("SELECT 1 FROM a WHERE b", False)]),
        (
            "cursor.execute(f\"SELECT 1 FROM a ORDER BY b {'DESC' if x else 'ASC'}\")",
            [("SELECT 1 FROM a ORDER BY b DESC", True)],
        ),
        ('cursor.execute("SELECT 1 FROM a " + tail)', [("SELECT 1 FROM a", False)]),
        ('cursor.execute(f"SELECT 1 FROM a {tail}")', [("SELECT 1 FROM a", False)]),
        (
            'cursor.execute("SELECT 1 FROM a" if x else "SELECT 2 FROM b")',
            [("SELECT 1 FROM a", True), ("SELECT 2 FROM b", True)],
        ),
        (
            'sql = "SELECT 1 FROM a" if x else "SELECT 2 FROM b"\ncursor.execute(sql)',
            [("SELECT 1 FROM a", True), ("SELECT 2 FROM b", True)],
        ),
        ('cursor.execute(x or "SELECT 1 FROM a")', [("SELECT 1 FROM a", True)]),
        ('cursor.executescript("SELECT 1; -- x;\\nSELECT 2;")', [("SELECT 1", True), ("-- x;\nSELECT 2", True)]),
        ('for name in ("a", "b"):\n    cursor.execute(f"SELECT 1 FROM {name}")', [("SELECT 1 FROM a", True)]),
        ('for n in range(9):\n    cursor.execute(f"SELECT {n} FROM a")', [("SELECT 1 FROM a", True)]),
    ],
)
def test_texts_that_are_made_in_steps(body, expected):
    source = "def find(cursor, x, y, tail):\n" + textwrap.indent(body, "    ")
    found = [(each.text, each.is_whole) for each in python_snippets(source, "a.py")]
    assert found == expected


@pytest.mark.parametrize(
    "code",
    [
        "async def run(c):\n    async with c.begin() as d:\n        async for e in d:\n            e.execute(SQL)",
        "try:\n    c.execute(SQL)\nexcept E:\n    pass\nfinally:\n    pass",
        "match c:\n    case 1 if c.execute(SQL):\n        pass",
        "def run(*rows, c=None, **more):\n    a, *b = rows\n    SQL2 = SQL\n    c.execute(SQL2)",
        "a, sql = 1, SQL\nc.execute(sql)",
        "@decorated(c.execute(SQL))\nclass A:\n    pass",
        "class A:\n def __init__(self):\n  self.sql, self.b = SQL, 1\n\n def run(self):\n  c.execute(self.sql)",
        "class A(Enum):\n    ALL = SQL\n\n\nc.execute(A.ALL.value)",
        "c.execute(SQL.strip())",
        "c.execute(str(SQL))",
        "c.execute('{}'.format(SQL))",
        "c.execute(f'{SQL}')",
        "c.execute('\\n'.join((SQL, '')))",
        "parts = [SQL]\nc.execute(' '.join(parts))",
    ],
)
def test_ways_of_a_constant_to_its_execution(code):
    (found,) = python_snippets(f'SQL: str = "SELECT a FROM b"\n{code}\nc.execute(other)\n', "a.py")
    assert (found.text.rstrip(), found.is_whole) == ("SELECT a FROM b", True)


@pytest.mark.parametrize(
    "code",
    [
        "def run(sql):\n    c.execute(sql)",
        "def run():\n    global sql\n    c.execute(sql)",
        "with a as sql:\n    c.execute(sql)",
        "from a import sql\nc.execute(sql)",
        "for sql in rows:\n    c.execute(sql)",
        "c.execute(A.sql)",
        "class A:\n def a(self):\n  self.sql = x\n\n def b(self):\n  self.sql = y\n  c.execute(self.sql)",
        "sql = sql\nc.execute(sql)",
        "c.execute(True)",
    ],
)
def test_what_is_executed_is_not_guessed(code):
    (found,) = python_snippets(f'sql = "SELECT a FROM b"\n\n\n{code}\n', "a.py")
    assert found.site.line == 1


def test_a_replacement_leaves_a_part():
    (found,) = snippets('c.execute("SELECT a FROM {t}".replace("{t}", name))')
    assert not found.is_whole


@pytest.mark.parametrize(
    "head",
    [
        'revision = "a"\ndown_revision = None\n',
        "from django.db import migrations\nclass Migration(migrations.Migration):\n    pass\n",
    ],
)
def test_statements_of_migrations(head):
    (found,) = python_snippets(f'{head}\ndef upgrade():\n    op.execute("UPDATE a SET b = 1")\n', "versions/1.py")
    assert found.origin is Origin.MIGRATION


def test_names_of_at_are_written_as_drivers_take_them():
    (found,) = snippets('client.query("SELECT a FROM b WHERE c = @d")')
    assert (found.text, found.style) == ("SELECT a FROM b WHERE c = :d", "named")


def test_colons_that_text_escapes():
    (found,) = snippets("""
        from sqlalchemy import text
        text("SELECT a\\\\:\\\\:int FROM b WHERE c = :d")
        """)
    assert (found.text, found.style) == ("SELECT a::  int FROM b WHERE c = :d", "named")
