"""SQLite templates are built once, by whoever asks first, and found by everybody after that."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.cache_directory import VARIABLE
from pytest_dbguard.databases.engines import make_engine
from pytest_dbguard.databases.sqlite import SqliteProvider
from pytest_dbguard.databases.sqlite_copy import in_memory
from pytest_dbguard.databases.sqlite_files import APPLICATION_ID
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.registry import templates_for
from pytest_dbguard.templates.runs import Run
from pytest_dbguard.templates.sqlite_cache import SqliteCache
from pytest_dbguard.templates.sqlite_templates import SqliteTemplates

MAIN = "dbguard_0123abcd_main_main"


@dataclass(frozen=True)
class Sql:
    """A step of statements."""

    statements: tuple[str, ...]
    name: str = "schema.sql"

    def fingerprint(self, dialect):
        return f"{dialect.name}\n{self.statements}".encode()

    def run(self, engine):
        with engine.begin() as connection:
            for statement in self.statements:
                connection.execute(text(statement))


SCHEMA = Sql(("CREATE TABLE item (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT)",))
SEED = Sql(("INSERT INTO item (name) VALUES ('seed')", "INSERT INTO item (name) VALUES ('other')"), "seed.sql")
RECIPE = Recipe((SCHEMA, SEED))


@pytest.fixture
def make_templates(tmp_path):
    """Return a function that makes what a process uses."""
    made = []

    def make(*, url=None, worker="main", cache=tmp_path / "cache", finish=None, **options):
        server = SqliteProvider().launch(StartOptions(url=url, cache=cache, **options)).ready()
        made.append(SqliteTemplates(server, Run("0123abcd", worker), project=tmp_path, finish=finish))
        return made[-1]

    yield make
    for templates in made:
        templates.close()


def rows(database):
    with closing(database.connect()) as connection:
        return connection.execute("SELECT * FROM item").fetchall()


def files(tmp_path):
    return sorted((tmp_path / "cache" / "sqlite").glob("*.db"))


def test_the_registry_knows_them():
    server = SqliteProvider().launch(StartOptions()).ready()
    assert isinstance(templates_for(server, Run("0123abcd")), SqliteTemplates)


@pytest.mark.parametrize("url", [None, "sqlite:///shop.db"])
def test_copies_hold_what_was_built_and_are_apart(make_templates, tmp_path, url):
    template = make_templates(url=url, project=tmp_path).ready(RECIPE)
    databases = [template.copy(MAIN), template.copy("dbguard_0123abcd_main_reports")]
    with closing(databases[0].connect()) as connection:
        connection.execute("DELETE FROM item WHERE id = 1")
        assert connection.execute("INSERT INTO item (name) VALUES ('new') RETURNING id").fetchall() == [(3,)]
    assert [rows(database) for database in databases] == [[(2, "other"), (3, "new")], [(1, "seed"), (2, "other")]]
    for database in databases:
        database.close()


def test_a_template_is_built_once_and_found_afterwards(make_templates, tmp_path):
    first = make_templates()
    template = first.ready(RECIPE)
    assert template.was_built
    assert first.ready(RECIPE) is template
    found = make_templates(worker="gw1").ready(RECIPE)
    assert (found.was_built, found.key) == (False, template.key)
    database = found.copy(MAIN)
    assert rows(database) == [(1, "seed"), (2, "other")]
    database.close()
    assert [path.name.partition("-")[0] for path in files(tmp_path)] == [template.key]


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe((SEED, SCHEMA)),
        Recipe((SCHEMA,)),
        Recipe((SCHEMA, Sql(("INSERT INTO item (name) VALUES ('x')",)))),
        Recipe(),
    ],
)
def test_other_recipes_are_other_templates(make_templates, recipe):
    templates = make_templates()
    assert templates._key(recipe) != templates._key(RECIPE)
    assert templates._key(recipe) == make_templates()._key(recipe)


def test_files_are_other_templates_than_memory(make_templates, tmp_path):
    keys = {make_templates(url=url, project=tmp_path)._key(RECIPE) for url in (None, "sqlite:///shop.db")}
    assert len(keys) == 2


def test_nothing_to_build_is_nothing_to_keep(make_templates, tmp_path):
    database = make_templates().ready(Recipe()).copy(MAIN)
    with closing(database.connect()) as connection:
        assert connection.execute("SELECT * FROM sqlite_master").fetchall() == []
    database.close()
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "spoil", [lambda path: path.write_bytes(path.read_bytes()[:-1]), lambda path: path.write_bytes(b"")]
)
def test_a_broken_file_is_thrown_away(make_templates, tmp_path, spoil):
    make_templates().ready(RECIPE)
    (path,) = files(tmp_path)
    spoil(path)
    template = make_templates().ready(RECIPE)
    assert template.was_built
    assert make_templates().ready(RECIPE).was_built is False


def test_a_file_with_other_content_under_the_right_digest_is_no_database(make_templates, tmp_path):
    key = make_templates().ready(RECIPE).key
    (path,) = files(tmp_path)
    path.unlink()
    import hashlib

    digest = hashlib.sha256(b"no database").hexdigest()[:16]
    path.with_name(f"{key}-{digest}.db").write_bytes(b"no database")
    assert make_templates().ready(RECIPE).was_built


def test_without_a_cache_each_process_builds_its_own(make_templates, tmp_path):
    assert make_templates(cache_mb=0).ready(RECIPE).was_built
    assert make_templates(cache_mb=0).ready(RECIPE).was_built
    assert not (tmp_path / "cache").exists()


def test_the_least_recently_used_goes_to_make_room(tmp_path):
    cache = SqliteCache(tmp_path, 3 * 8192)
    with closing(in_memory()) as image:
        image.execute("CREATE TABLE item (id INTEGER)")
        for number, key in enumerate(("a", "b", "c")):
            cache.put(key * 64, image)
            os.utime(next(tmp_path.glob(f"{key}*")), (number, number))
        cache.get("a" * 64).close()
        cache.put("d" * 64, image)
        assert sorted(path.name[0] for path in tmp_path.glob("*.db")) == ["a", "c", "d"]
        small = SqliteCache(tmp_path, 100)
        small.put("e" * 64, image)
    assert small.get("e" * 64) is None


def test_a_cache_that_cannot_be_written_is_no_obstacle(tmp_path):
    cache = SqliteCache(tmp_path / "nowhere", 1 << 20)
    with closing(in_memory()) as image:
        image.execute("CREATE TABLE item (id INTEGER)")
        cache.put("a" * 64, image)
    assert cache.get("a" * 64) is None


@pytest.mark.parametrize("url", [None, "sqlite:///shop.db"])
def test_a_step_that_fails_is_named_and_nothing_is_kept(make_templates, tmp_path, url):
    broken = Sql(("CREATE TABLE item (id INTEGER)", "INSERT INTO nowhere VALUES ('secret')"), "broken.sql")
    with pytest.raises(DatabaseError) as caught:
        make_templates(url=url, project=tmp_path).ready(Recipe((SCHEMA, broken)))
    assert "broken.sql" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert files(tmp_path) == []
    assert make_templates(url=url, project=tmp_path).ready(RECIPE).was_built


def test_a_step_that_leaves_its_transaction_open_is_told(make_templates):
    opened = []

    @dataclass(frozen=True)
    class Forgets:
        name: str = "forgets"

        def fingerprint(self, dialect):
            return b""

        def run(self, engine):
            connection = engine.connect()
            connection.execute(text("INSERT INTO item (name) VALUES ('left')"))
            opened.append(connection)

    with pytest.raises(DatabaseError, match="is a transaction still open"):
        make_templates().ready(Recipe((SCHEMA, Forgets())))
    opened[0].close()


def test_finish_sees_the_whole_template(make_templates):
    def finish(connection):
        connection.execute("UPDATE item SET name = 'finished'")

    database = make_templates(finish=finish).ready(RECIPE).copy(MAIN)
    assert {name for _, name in rows(database)} == {"finished"}
    database.close()


def test_files_bear_our_mark_and_their_build_can_be_opened_by_others(make_templates, tmp_path):
    seen = []

    @dataclass(frozen=True)
    class Migration:
        name: str = "migration"

        def fingerprint(self, dialect):
            return b""

        def run(self, engine):
            script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE item (id INTEGER)')"
            subprocess.run([sys.executable, "-c", script, engine.url.database], check=True)
            seen.append(Path(engine.url.database))

    database = make_templates(url="sqlite:///shop.db", project=tmp_path).ready(Recipe((Migration(),))).copy(MAIN)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        assert connection.execute("PRAGMA application_id").fetchall() == [(APPLICATION_ID,)]
        assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
        assert connection.execute("SELECT count(*) FROM item").fetchall() == [(0,)]
    database.close()
    assert not seen[0].parent.exists()


def test_a_mark_of_the_project_stays(make_templates, tmp_path):
    recipe = Recipe((SCHEMA, Sql(("PRAGMA application_id = 7", "PRAGMA user_version = 3"))))
    database = make_templates(url="sqlite:///shop.db", project=tmp_path).ready(recipe).copy(MAIN)
    with closing(database.connect()) as connection:
        assert connection.execute("PRAGMA application_id").fetchall() == [(7,)]
        assert connection.execute("PRAGMA user_version").fetchall() == [(3,)]
    database.close()


def test_a_file_of_somebody_else_is_refused(make_templates, tmp_path):
    (tmp_path / "shop.db").write_text("precious")
    template = make_templates(url="sqlite:///shop.db", project=tmp_path).ready(RECIPE)
    with pytest.raises(DatabaseError, match="dbguard did not make it"):
        template.copy(MAIN)
    worker = make_templates(url="sqlite:///shop.db", project=tmp_path, worker="gw0").ready(RECIPE)
    database = worker.copy("dbguard_0123abcd_gw0_main")
    assert Path(database.url.database).name == "shop-0123abcd_gw0_main.db"
    database.close()
    assert (tmp_path / "shop.db").read_text() == "precious"


def test_an_old_version_of_sqlite_shares_a_cache(make_templates, monkeypatch):
    template = make_templates().ready(RECIPE)
    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "sqlite_version_info", (3, 34, 0))
        database = template.copy(MAIN)
    assert database.shares_cache
    engine = make_engine(database)
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM item")) == 2
    engine.dispose()
    database.close()


BUILDING = """
import sys
from pathlib import Path
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.sqlite import SqliteProvider
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.runs import Run
from pytest_dbguard.templates.sqlite_templates import SqliteTemplates

class Step:
    name = "step"
    def fingerprint(self, dialect):
        return b"the same"
    def run(self, engine):
        with open(sys.argv[1], "a") as log:
            log.write("built\\n")
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE item (id INTEGER)")

print("ready", flush=True)
sys.stdin.readline()
server = SqliteProvider().launch(StartOptions()).ready()
template = SqliteTemplates(server, Run("0123abcd", "gw0")).ready(Recipe((Step(),)))
print(template.was_built, template.key)
"""


def test_of_many_processes_at_once_one_builds(tmp_path):
    log = tmp_path / "log"
    environment = os.environ | {VARIABLE: str(tmp_path / "cache"), "PYTHONHASHSEED": "random"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BUILDING, log],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate()[0].split() for process in processes]
    assert sorted(was_built for was_built, _ in told) == ["False", "False", "False", "True"]
    assert len({key for _, key in told}) == 1
    assert log.read_text() == "built\n"
