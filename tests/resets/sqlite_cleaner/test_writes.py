"""Whatever a test writes to SQLite is undone: rows, ids, sequences, settings, and the schema."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

import pytest

MANY = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
ROWS = {
    "insert": "INSERT INTO item (name, price) VALUES ('new', 1)",
    "insert into empty": "INSERT INTO plain VALUES (1, 2); INSERT INTO numbered (note) VALUES ('x')",
    "seed changed": "UPDATE item SET price = price + 1 WHERE id = 2",
    "seed deleted": "DELETE FROM item WHERE id = 1",
    "all seeds deleted": "DELETE FROM item; DELETE FROM keyed_seed; DELETE FROM numbered_seed",
    "seed in upper case": "UPDATE numbered_seed SET note = 'ONE'",
    "integer becomes real": "UPDATE plain_seed SET a = 1.0 WHERE rowid = 3",
    "negative zero": "UPDATE plain_seed SET a = 0.0 WHERE rowid = 10",
    "text becomes blob": "UPDATE plain_seed SET b = x'78' WHERE rowid = 3",
    "behind a zero byte": "UPDATE plain_seed SET b = 'null' || char(0) || 'other' WHERE rowid = 9",
    "other rowid": "UPDATE plain_seed SET rowid = 20 WHERE rowid = 7",
    "replace": "REPLACE INTO item VALUES (1, 'bread', 3)",
    "upsert": "INSERT INTO keyed_seed VALUES ('a', 5) ON CONFLICT DO UPDATE SET b = excluded.b",
    "swapped unique values": (
        "UPDATE item SET name = 'tmp' WHERE id = 1; UPDATE item SET name = 'bread' WHERE id = 2;"
        "UPDATE item SET name = 'wine' WHERE id = 1"
    ),
    "without rowid": "INSERT INTO keyed VALUES ('a', 1, x'00'), ('a', 2, NULL); UPDATE keyed_seed SET b = 3",
    "strict": "INSERT INTO exact (name, amount, anything) VALUES ('a', 1, x'ff')",
    "generated": "UPDATE calculated SET width = 6 WHERE height = 5; INSERT INTO calculated VALUES (100, 1)",
    "descending key": "INSERT INTO backwards (id, name) VALUES (5, 'x'), (NULL, 'y')",
    "cascade": "DELETE FROM parent",
    "cascading update": "UPDATE parent SET id = 30 WHERE id = 2",
    "circle": "BEGIN; INSERT INTO parent VALUES (9, 9); INSERT INTO child VALUES (9, 9); COMMIT",
    "tree": "INSERT INTO node VALUES (1, NULL), (2, 1), (3, 2); DELETE FROM node WHERE id = 1",
    "odd names": """INSERT INTO "odd "" na%me ä'" VALUES (1, '%s', '?')""",
    "columns named rowid": "INSERT INTO named_rowid VALUES ('a', 1); INSERT INTO named_all VALUES ('a', 'b', 'c')",
    "through a view": "INSERT INTO cheap (name) VALUES ('tea')",
    "sequence only": "INSERT INTO numbered (note) VALUES ('x'); DELETE FROM numbered",
    "sequence set": "UPDATE sqlite_sequence SET seq = 1000",
    "sequence gone": "DELETE FROM sqlite_sequence",
    "text that is none": "UPDATE item SET name = CAST(x'ff' AS TEXT) WHERE id = 1",
    "user_version": "PRAGMA user_version = 8",
    "application_id": "PRAGMA application_id = 99",
    "statistics": "UPDATE sqlite_stat1 SET stat = '1 1'",
    "many rows": MANY + "INSERT INTO plain SELECT i, 'name ' || i FROM n",
    "foreign keys off": "PRAGMA foreign_keys = OFF; INSERT INTO child VALUES (50, 50); DELETE FROM parent",
}
WHOLE = {
    "full text": "INSERT INTO words VALUES ('a lazy dog'); DELETE FROM words WHERE rowid = 1",
    "boxes": "INSERT INTO boxes VALUES (1, 0, 1)",
    "create table": "CREATE TABLE extra (id INTEGER); INSERT INTO extra VALUES (1)",
    "create and drop": "CREATE TABLE extra (id INTEGER); DROP TABLE extra; INSERT INTO item (name) VALUES ('x')",
    "drop table": "DROP TABLE numbered_seed",
    "drop parent": "PRAGMA foreign_keys = OFF; DROP TABLE parent",
    "add column": "ALTER TABLE item ADD COLUMN extra TEXT DEFAULT 'x'",
    "drop column": "ALTER TABLE plain_seed DROP COLUMN a",
    "rename": "ALTER TABLE item RENAME TO thing; ALTER TABLE plain RENAME COLUMN a TO c",
    "index": "DROP INDEX item_partial; CREATE INDEX other ON item (price)",
    "view": "DROP VIEW cheap; CREATE VIEW cheap AS SELECT 1 AS one",
    "trigger": "DROP TRIGGER guarded_out; CREATE TRIGGER more AFTER INSERT ON item BEGIN DELETE FROM plain; END",
    "virtual table": "CREATE VIRTUAL TABLE more USING fts5 (body); INSERT INTO more VALUES ('x'); DROP TABLE words",
    "schema edited": (
        "PRAGMA writable_schema = ON; UPDATE sqlite_master"
        " SET sql = replace(sql, 'TEXT UNIQUE', 'TEXT NOT NULL UNIQUE') WHERE name = 'item'; PRAGMA schema_version = 99"
    ),
    "vacuum": "DELETE FROM plain_seed WHERE rowid = 3; VACUUM",
    "analyze": "DROP TABLE sqlite_stat1; ANALYZE item",
}
TRIGGERED = {
    "trigger": "INSERT INTO watched (name) VALUES ('new')",
    "trigger on update": "UPDATE watched SET name = 'other'",
    "trigger on delete": "DELETE FROM watched",
    "delete is refused": "INSERT INTO guarded VALUES (1)",
}


@pytest.mark.parametrize("script", ROWS.values(), ids=ROWS)
def test_rows_are_put_back(world, script):
    world.write(script)
    assert world.picture() != world.clean_picture
    assert world.cleaner.is_dirty()
    outcome = world.assert_cleans()
    assert (outcome.did, outcome.reason, outcome.leaks, outcome.warnings) == ("emptied", "", (), ())


@pytest.mark.parametrize("script", WHOLE.values(), ids=WHOLE)
def test_a_fresh_copy_takes_the_place_of_what_rows_do_not_mend(world, script):
    world.write(script)
    assert world.picture() != world.clean_picture or "DROP TABLE extra" in script
    assert world.cleaner.is_dirty()
    outcome = world.assert_cleans()
    assert outcome.did == "swapped"
    assert outcome.reason


@pytest.mark.parametrize("script", TRIGGERED.values(), ids=TRIGGERED)
def test_triggers_do_not_fire_while_cleaning(world, script):
    world.write(script)
    outcome = world.assert_cleans()
    assert outcome.did == ("emptied" if sys.version_info >= (3, 12) else "swapped")


def test_the_dirty_tables_are_named(world):
    world.write("INSERT INTO plain VALUES (1, 2); UPDATE item SET price = 0; INSERT INTO named_all VALUES ('', '', '')")
    assert world.cleaner.clean().dirty == ("item", "named_all", "plain")


@pytest.mark.parametrize(
    "script", ["SELECT * FROM item", "BEGIN IMMEDIATE; COMMIT", "BEGIN; DELETE FROM item; ROLLBACK"]
)
def test_who_has_only_read_or_rolled_back_leaves_nothing(world, script):
    world.write(script)
    assert not world.cleaner.is_dirty()
    assert world.cleaner.clean().did == "nothing"


def test_ids_begin_anew(world):
    for _ in range(3):
        with closing(world.connect()) as connection:
            assert connection.execute("INSERT INTO numbered (note) VALUES ('x') RETURNING id").fetchall() == [(1,)]
            assert connection.execute("INSERT INTO numbered_seed (note) VALUES ('x') RETURNING id").fetchall() == [(3,)]
            assert connection.execute("INSERT INTO item (name) VALUES ('x') RETURNING id").fetchall() == [(4,)]
        world.assert_cleans()


def test_connections_that_stay_open_see_the_clean_schema_and_rows(world):
    connection = world.connect()
    for script in (WHOLE["drop table"], ROWS["insert"], WHOLE["add column"], WHOLE["full text"], ROWS["seed deleted"]):
        connection.executescript(script)
        world.assert_cleans()
        assert connection.execute("SELECT count(*), max(id) FROM item").fetchall() == [(3, 3)]
        assert connection.execute("SELECT * FROM numbered_seed").fetchall() == [(1, "one")]
        connection.execute("SELECT a FROM plain_seed").fetchall()


def test_other_connections_need_not_read_the_schema_again_when_only_rows_are_restored(today):
    with closing(today.connect()) as connection:
        before = connection.execute("PRAGMA schema_version").fetchall()
        today.write(WHOLE["full text"])
        assert today.assert_cleans().did == "swapped"
        assert connection.execute("PRAGMA schema_version").fetchall() == before
        assert today.ledger.let_go_of == 0


def test_what_an_index_needs_but_only_the_application_has(make_world):
    world = make_world("memory")
    application = world.connect()
    application.create_function("secret", 1, lambda value: value, deterministic=True)
    application.create_collation("german", lambda one, other: (one > other) - (one < other))
    application.executescript(
        "CREATE TABLE coded (id INTEGER PRIMARY KEY, code TEXT);"
        "CREATE INDEX coded_index ON coded (secret(code)); INSERT INTO coded (code) VALUES ('a');"
        "CREATE TABLE sorted (name TEXT COLLATE german UNIQUE); INSERT INTO sorted VALUES ('a')"
    )
    assert world.cleaner.keep("fixture")
    application.executescript("UPDATE coded SET code = 'b'; DELETE FROM sorted; INSERT INTO coded (code) VALUES ('c')")
    outcome = world.cleaner.clean()
    assert (outcome.did, outcome.dirty) == ("swapped", ("coded", "sorted"))
    assert application.execute("SELECT code FROM coded").fetchall() == [("a",)]
    assert application.execute("SELECT name FROM sorted WHERE name = 'a'").fetchall() == [("a",)]


SEEDS = "CREATE TABLE big (id INTEGER PRIMARY KEY, name TEXT); CREATE VIRTUAL TABLE words USING fts5 (body);"


@pytest.mark.parametrize("place", ["memory", "file"])
def test_much_seed_data_is_copied_and_not_compared(make_world, place):
    script = f"{SEEDS} CREATE TABLE small (a); {MANY} INSERT INTO big SELECT i, 'name ' || i FROM n"
    world = make_world(place, script=script)
    assert world.cleaner.clean().did == "nothing"
    world.write("UPDATE big SET name = 'x' WHERE id = 777; INSERT INTO small VALUES (1)")
    outcome = world.assert_cleans()
    assert (outcome.did, outcome.dirty) == ("swapped", ("small",))
    assert outcome.reason == "'big' holds too much to be compared, or cannot be read"


def test_seed_data_of_many_tables_is_compared_as_far_as_it_is_little(make_world):
    tables = "".join(f"CREATE TABLE t{number} (a); INSERT INTO t{number} VALUES ({number});" for number in range(200))
    world = make_world("memory", script=SEEDS + tables)
    world.write(
        "UPDATE t150 SET a = 0; DELETE FROM t7; INSERT INTO t199 VALUES (1); INSERT INTO big (name) VALUES ('x')"
    )
    outcome = world.assert_cleans()
    assert (outcome.did, outcome.dirty) == ("emptied", ("big", "t150", "t199", "t7"))


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
@pytest.mark.parametrize("place", ["memory", "file"])
def test_other_encodings(make_world, place, encoding):
    settings = f"PRAGMA encoding = '{encoding}'; PRAGMA auto_vacuum = INCREMENTAL;"
    world = make_world(place, script=f"{settings} {SEEDS} INSERT INTO big (name) VALUES ('ä\U0001f600')")
    assert world.clean_picture["encoding"] == [(encoding,)]
    world.write("UPDATE big SET name = 'ö'")
    assert world.assert_cleans().did == "emptied"
    world.write("DROP TABLE big")
    assert world.assert_cleans().did == "swapped"


def test_a_database_attached_by_a_test_is_its_own_affair(world, tmp_path):
    connection = world.connect()
    connection.execute(f"ATTACH '{tmp_path}/other.db' AS other")
    connection.executescript("CREATE TABLE other.item (id INTEGER); INSERT INTO main.item (name) VALUES ('x')")
    assert world.assert_cleans().dirty == ("item",)
    assert connection.execute("SELECT count(*) FROM other.item").fetchall() == [(0,)]


def test_temporary_tables_are_no_change(world):
    connection = world.connect()
    connection.executescript("CREATE TEMP TABLE item (id INTEGER); INSERT INTO item VALUES (1)")
    assert world.cleaner.clean().did == "nothing"


def test_truncate_empties_all_and_puts_back_what_belongs_there(make_world):
    world = make_world(
        "memory", script="CREATE TABLE big (name); CREATE TABLE item (id INTEGER); INSERT INTO item VALUES (1)"
    )
    assert world.cleaner.truncate().did == "emptied"
    world.write("UPDATE item SET id = 2; INSERT INTO big (name) VALUES ('x')")
    assert world.cleaner.truncate().did == "emptied"
    assert world.picture() == world.clean_picture


def test_truncate_copies_where_tables_cannot_be_emptied(world):
    world.write("INSERT INTO item (name) VALUES ('x')")
    assert world.cleaner.truncate().did == "swapped"
    assert world.picture() == world.clean_picture


def test_swap_puts_a_fresh_copy_in_place(world):
    world.write("DELETE FROM item; DROP TABLE plain")
    outcome = world.cleaner.swap("it is asked for")
    assert (outcome.did, outcome.reason) == ("swapped", "it is asked for")
    assert world.picture() == world.clean_picture
    assert world.cleaner.clean().did == "nothing"


def test_set_aside_keeps_a_file_and_goes_on_clean(world, picture_of, tmp_path):
    world.write("DELETE FROM item; CREATE TABLE extra (id INTEGER)")
    dirty = world.picture()
    assert "extra" in dirty
    urls = [world.cleaner.set_aside("tests/test_shop.py::TestCart::test_add[a b/..]") for _ in range(2)]
    assert world.picture() == world.clean_picture
    files = [url.removeprefix("sqlite:///") for url in urls]
    assert len(set(files)) == 2
    assert files[0].startswith(f"{tmp_path}/.dbguard/kept/test-add-a-b-")
    with closing(sqlite3.connect(files[0])) as connection:
        assert picture_of(connection) | {"journal_mode": []} == dirty | {"journal_mode": []}
