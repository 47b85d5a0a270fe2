"""Alembic projects as they are found: the templates that Alembic writes, and what people make of them."""

from __future__ import annotations

import io
import logging
import os
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.engines import make_engine
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.steps import steps_for

MIGRATION = """
from alembic import op
import sqlalchemy as sa
revision = "{revision}"
down_revision = {before!r}
branch_labels = None
depends_on = None

def upgrade():
    op.create_table("{table}", sa.Column("id", sa.Integer, primary_key=True))
"""
READS = {
    "environ": 'import os\nconfig.set_main_option("sqlalchemy.url", os.environ["APP_DB_URL"])\n',
    "getenv": 'from os import getenv\nconfig.set_main_option("sqlalchemy.url", getenv("APP_DB_URL", "sqlite://"))\n',
    "settings": 'import alembic_settings\nconfig.set_main_option("sqlalchemy.url", alembic_settings.URL)\n',
}
SHARES = """
from alembic import context
connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=None)
with context.begin_transaction():
    context.run_migrations()
"""


class Project:
    """A directory that `alembic init` has filled, with migrations."""

    def __init__(self, root, template="generic"):
        self.root = root
        self.ini = root / "alembic.ini"
        command.init(Config(str(self.ini), stdout=io.StringIO()), str(root / "migrations"), template=template)
        self.env = root / "migrations" / "env.py"
        self.migrate("aaa", None, "item")
        self.migrate("bbb", "aaa", "price")

    def migrate(self, revision, before, table):
        path = self.root / "migrations" / "versions" / f"{revision}.py"
        path.write_text(MIGRATION.format(revision=revision, before=before, table=table))
        return path

    def insert(self, text):
        """Put code into env.py, where its configuration is known."""
        content = self.env.read_text()
        mark = "config = context.config\n"
        assert mark in content
        self.env.write_text(content.replace(mark, mark + text))


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app").mkdir()
    return Project(tmp_path / "app")


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, server, on_server):
    """An engine on an empty database."""
    if request.param == "sqlite":
        database = load_provider("sqlite").start()
        engine = make_engine(database)
        yield engine
        engine.dispose()
        database.close()
        return
    on_server.run("CREATE DATABASE {}", "dbguard_x")
    engine = create_engine(server.url.set(database="dbguard_x"))
    yield engine
    engine.dispose()


def upgraded(engine, value, root):
    (step,) = steps_for("migrate", value, root=root)
    step.run(engine)
    return sorted(inspect(engine).get_table_names())


WHOLE = ["alembic_version", "item", "price"]


def test_what_alembic_init_writes(database, project, tmp_path):
    assert upgraded(database, "app/alembic.ini", tmp_path) == WHOLE


def test_a_database_with_a_percent_sign(server, on_server, project, tmp_path):
    on_server.run("CREATE DATABASE {}", "dbguard_100 %")
    engine = create_engine(server.url.set(database="dbguard_100 %"))
    assert upgraded(engine, "app/alembic.ini", tmp_path) == WHOLE
    engine.dispose()


def test_a_directory_without_ini(database, project, tmp_path):
    project.ini.unlink()
    assert upgraded(database, "app/migrations", tmp_path) == WHOLE


def test_a_config_is_used_and_not_changed(database, project):
    config = Config(str(project.ini))
    config.attributes["mine"] = 1
    project.insert('assert config.attributes["mine"] == 1\nassert config.get_main_option("other") == "100 %"\n')
    config.set_main_option("other", "100 %%")
    url = config.get_main_option("sqlalchemy.url")
    assert upgraded(database, config, project.root) == WHOLE
    assert config.attributes == {"mine": 1}
    assert config.get_main_option("sqlalchemy.url") == url


def test_relative_paths_start_from_the_ini_file(database, project, tmp_path):
    content = project.ini.read_text()
    project.ini.write_text(content.replace("%(here)s/", "").replace(str(project.root) + "/", ""))
    assert "script_location = migrations\n" in project.ini.read_text()
    (project.root / "beside_ini.py").touch()
    project.insert("import beside_ini\n")
    before = list(sys.path)
    assert upgraded(database, "app/alembic.ini", tmp_path) == WHOLE
    assert sys.path == before
    assert Path.cwd() == tmp_path
    del sys.modules["beside_ini"]


def test_asynchronous_projects(database, tmp_path):
    project = Project(tmp_path, "async")
    assert upgraded(database, "alembic.ini", project.root) == WHOLE


async def test_all_kinds_while_an_event_loop_runs(database, tmp_path):
    for template in ("generic", "async"):
        (tmp_path / template).mkdir()
        project = Project(tmp_path / template, template)
        assert upgraded(database, "alembic.ini", project.root) == WHOLE


@pytest.mark.parametrize("way", ["environ", "getenv", "settings"])
def test_projects_that_read_their_url_elsewhere_reach_nothing_else(database, project, monkeypatch, tmp_path, way):
    """Be it a variable or a module of settings that has read its own before."""
    elsewhere = tmp_path / "elsewhere.db"
    url = f"sqlite:///{elsewhere}" if database.dialect.name == "sqlite" else "postgresql+psycopg://me@127.0.0.1:1/shop"
    monkeypatch.setenv("APP_DB_URL", url)
    monkeypatch.setitem(sys.modules, "alembic_settings", type(sys)("alembic_settings"))
    sys.modules["alembic_settings"].URL = url
    project.insert(READS[way])
    assert upgraded(database, "app/alembic.ini", tmp_path) == WHOLE
    assert not elsewhere.exists()
    assert os.environ["APP_DB_URL"] == url


def test_a_variable_that_only_the_ini_file_names(database, project, monkeypatch, tmp_path):
    monkeypatch.delenv("SHOP", raising=False)
    content = project.ini.read_text()
    project.ini.write_text(content.replace("[alembic]\n", "[alembic]\ndbguard_url_variable = SHOP, STORE\n"))
    project.insert(
        'import os\nassert os.environ["SHOP"] == os.environ["STORE"] == config.get_main_option("sqlalchemy.url")\n'
    )
    assert upgraded(database, "app/alembic.ini", tmp_path) == WHOLE
    assert "SHOP" not in os.environ


def test_projects_that_share_a_connection(database, project, tmp_path):
    project.env.write_text(SHARES)
    assert upgraded(database, "app/alembic.ini", tmp_path) == WHOLE


def test_loggers_and_handlers_of_the_run_stay_as_they_are(database, project, tmp_path, caplog):
    logger = logging.getLogger("shop.orders")
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    # what env.py of older versions does, besides a function that was imported before
    project.insert("import logging, shop_logging\nshop_logging.configure()\nlogging.getLogger().setLevel(5)\n")
    module = sys.modules["shop_logging"] = type(sys)("shop_logging")
    configure = logging.config.dictConfig
    module.configure = lambda: configure({"version": 1, "root": {"handlers": []}})
    try:
        assert upgraded(database, "app/alembic.ini", tmp_path) == WHOLE
    finally:
        del sys.modules["shop_logging"]
    assert not logger.disabled
    assert (logging.getLogger().handlers, logging.getLogger().level) == (handlers, level)
    assert logging.config.fileConfig.__name__ == "fileConfig"
    logger.warning("still heard")
    assert "still heard" in caplog.text


def test_all_branches_are_upgraded(database, project, tmp_path):
    project.migrate("ccc", "aaa", "stock")
    assert upgraded(database, "app/alembic.ini", tmp_path) == [*WHOLE, "stock"]


def fingerprint(value, root):
    (step,) = steps_for("migrate", value, root=root)
    return step.fingerprint(create_engine("sqlite://").dialect)


def test_scripts_and_configuration_decide_about_the_fingerprint(project, tmp_path):
    found = [fingerprint("app/alembic.ini", tmp_path)]
    changes = [
        lambda: project.migrate("ccc", "bbb", "stock"),
        lambda: project.migrate("ccc", "bbb", "stocks"),
        lambda: project.insert("x = 1\n"),
        lambda: project.ini.write_text(project.ini.read_text() + "# more\n"),
        lambda: (project.root / "migrations" / "versions" / "data.sql").write_text("SELECT 1"),
    ]
    for change in changes:
        change()
        found.append(fingerprint("app/alembic.ini", tmp_path))
    assert len(set(found)) == len(found)
    cache = project.root / "migrations" / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "env.pyc").write_text("")
    assert fingerprint("app/alembic.ini", tmp_path) == found[-1]


def test_further_locations_of_versions_count(project, tmp_path):
    more = tmp_path / "more"
    more.mkdir()
    config = Config(str(project.ini))
    config.set_main_option("version_locations", f"{project.root / 'migrations' / 'versions'}{os.pathsep}{more}")
    before = fingerprint(config, tmp_path)
    (more / "ddd.py").write_text("")
    assert fingerprint(config, tmp_path) != before


def test_a_migration_that_fails_is_told_with_its_line(runs, tmp_path):
    project = Project(tmp_path)
    path = project.migrate("ccc", "bbb", "item")
    with pytest.raises(DatabaseError) as caught:
        runs.start()[0].ready(Recipe(tuple(steps_for("migrate", "alembic.ini", root=project.root))))
    assert "alembic.ini fails at " in caught.value.message
    assert f'{path.name}:10 in upgrade: DuplicateTable: relation "item" already exists' in caught.value.message


def test_a_directory_that_is_not_there_is_told(tmp_path):
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = nowhere\n")
    with pytest.raises(DatabaseError, match="nowhere"):
        fingerprint("alembic.ini", tmp_path)


def test_alembic_that_is_not_installed_is_told(project, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "alembic.config", None)
    with pytest.raises(DatabaseError, match=r"migrations need Alembic: .*\n  run: pip install alembic"):
        fingerprint("app/alembic.ini", tmp_path)
