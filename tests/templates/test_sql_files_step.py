"""SQL files on real databases."""

from __future__ import annotations

import subprocess

import pytest
from sqlalchemy import create_engine, text

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.postgres_binaries import find_programs
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.steps import steps_for

SHOP = r"""
-- 100 % of :it; is SQL
CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY, name text DEFAULT '100 %s :name', parts int[]);
COPY item (name, parts) FROM stdin;
a\tb;'"\\	{1,2}
\N	\N
\.
CREATE FUNCTION twice(x int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT x; SELECT 2 * x; END;
CREATE FUNCTION thrice(x int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 3 * x; END; $$;
CREATE VIEW twins AS SELECT id, twice(id) AS twin FROM item WHERE name LIKE 'a%';
CREATE INDEX CONCURRENTLY item_name ON item (name);
"""


@pytest.fixture
def built(runs):
    """Build a database from SQL files, return an engine on a copy."""
    engines = []

    def built(*texts):
        names = [f"{number}.sql" for number, _ in enumerate(texts)]
        for name, content in zip(names, texts, strict=True):
            (runs.project / name).write_text(content, encoding="utf-8")
        templates, run = runs.start()
        template = templates.ready(Recipe(tuple(steps_for("migrate", names, root=runs.project))))
        engines.append(create_engine(template.copy(f"dbguard_{run.id}_{len(engines)}").url))
        return engines[-1]

    yield built
    for engine in engines:
        engine.dispose()


def rows(engine, query):
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_everything_is_sent_as_it_stands(built):
    engine = built(SHOP, "INSERT INTO item DEFAULT VALUES")
    assert rows(engine, "SELECT id, name, parts FROM item ORDER BY id") == [
        (1, "a\tb;'\"\\", [1, 2]), (2, None, None), (3, "100 %s :name", None),
    ]  # fmt: skip
    assert rows(engine, "SELECT * FROM twins") == [(1, 2)]
    assert rows(engine, "SELECT thrice(2)") == [(6,)]


def dump(url):
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = [find_programs() / "pg_dump", "--no-owner", "--no-privileges", "--dbname", dsn]
    text = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return "\n".join(line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))), text


def test_what_pg_dump_writes_makes_the_same_database(built):
    first, with_commands = dump(built(SHOP).url)
    engine = built(with_commands, "CREATE TABLE public.after_the_dump (id int); SELECT 1 FROM after_the_dump")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE after_the_dump"))
    assert dump(engine.url)[0] == first


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("SELECT 1;\n\nSELECT\n  none FROM\n  pg_class;", '0.sql:4: UndefinedColumn: column "none" does not exist'),
        ("CREATE TABLE t (i int UNIQUE);\nINSERT INTO t VALUES (4711), (4711);", "0.sql:2: UniqueViolation: duplicate"),
        ("CREATE TABLE t (i int);\nCOPY t FROM stdin;\n1\nx4711\n\\.\n", "0.sql:2: InvalidTextRepresentation: inv"),
        ("SELECT 1;\n\\connect other\n", "0.sql:2: '\\\\connect' is a command of psql, not SQL\n  take it out"),
        ("CREATE TABLE t ();\nALTER TABLE t OWNER TO no_such;", "dump with: pg_dump --no-owner --no-privileges"),
    ],
)  # fmt: skip
def test_what_fails_is_told_with_file_and_line(built, on_server, content, told):
    with pytest.raises(DatabaseError) as caught:
        built(content)
    assert told in str(caught.value)
    assert str(caught.value).startswith("0.sql: ")
    assert "4711" not in str(caught.value)
    assert on_server.marks() == {}


def test_the_files_decide_about_the_key(runs):
    templates, _ = runs.start()
    keys = []
    for content in ("SELECT 1", "SELECT 2", "SELECT 1"):
        (runs.project / "a.sql").write_text(content)
        keys.append(templates.ready(Recipe(tuple(steps_for("migrate", "a.sql", root=runs.project)))).key)
    assert keys[0] == keys[2] != keys[1]


def test_on_sqlite(tmp_path):
    (tmp_path / "a.sql").write_text(
        "\ufeffCREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT DEFAULT ':a;%s');\n"
        "CREATE TRIGGER g AFTER INSERT ON item WHEN new.id < 3 BEGIN\n"
        "SELECT 1; INSERT INTO item VALUES (new.id + 1, ';'); END;\n"
        "BEGIN; INSERT INTO item (id) VALUES (2); "
    )
    (tmp_path / "b.sql").write_text("SELECT 1;\nSELECT * FROM none")
    engine = create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    (step,) = steps_for("migrate", "a.sql", root=tmp_path)
    step.run(engine)
    assert rows(engine, "SELECT * FROM item") == [(2, ":a;%s"), (3, ";")]
    (step,) = steps_for("migrate", "b.sql", root=tmp_path)
    with pytest.raises(DatabaseError, match=r"b\.sql:2: OperationalError: no such table: none"):
        step.run(engine)
    engine.dispose()
