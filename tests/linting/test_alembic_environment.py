"""What stands around revisions tells their dialect, a limit for waiting, and whether they run in transactions."""

from __future__ import annotations

import pytest

from pytest_dbguard.linting.alembic_environment import environment_files, environment_of
from pytest_dbguard.linting.alembic_scripts import alembic_migration
from pytest_dbguard.schema.migration import StepKind

HEAD = 'from alembic import op\n\nrevision = "2f6a"\ndown_revision = "1c3e"\n'


@pytest.fixture
def project(tmp_path):
    """A project: Alembic's files as texts by their names, written below the root."""

    def write(**files):
        for name, text in files.items():
            path = tmp_path / {"env": "db/env.py", "ini": "alembic.ini"}[name]
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


ENGINE = "connectable = engine_from_config(config)\n"


@pytest.mark.parametrize(
    ("files", "dialect"),
    [
        ({"ini": "[alembic]\nsqlalchemy.url = sqlite:///app.db\n", "env": ENGINE}, "sqlite"),
        ({"ini": "sqlalchemy.url = postgresql+psycopg://localhost/app\n", "env": ENGINE + "'sqlite://'"}, "postgresql"),
        ({"ini": "sqlalchemy.url = driver://user:pass@localhost/dbname\n", "env": ENGINE}, ""),
        ({"env": ENGINE + "as_batch = connection.dialect.name == 'sqlite'"}, ""),
        ({"env": ENGINE + "URL = 'mysql+pymysql://'"}, "mysql"),
        ({"env": ENGINE + "'sqlite://' 'postgresql://'"}, ""),
        ({}, ""),
    ],
)
def test_the_dialect_of_an_environment(project, files, dialect):
    found = environment_of("db/versions/a.py", project(**files))
    assert found.dialect == dialect
    assert found.is_transactional


def test_a_timeout_of_an_environment(project):
    root = project(env=f"{ENGINE}\nconnection.execute(text('SET lock_timeout = 4000'))\n", ini="[alembic]\n")
    found = alembic_migration(f"{HEAD}def upgrade():\n    op.drop_table('a')\n", "db/versions/a.py", root=root)
    assert [(step.kind, step.name, step.site.label) for step in found.steps][0] == (
        StepKind.SET_TIMEOUT,
        "lock_timeout",
        "db/env.py:3",
    )
    assert [path.name for path in environment_files("db/versions/a.py", root)] == ["env.py", "alembic.ini"]


@pytest.mark.parametrize(
    ("env", "is_transactional"),
    [
        (ENGINE, True),
        (ENGINE + "context.configure(connection=c, transactional_ddl=False)", False),
        (ENGINE + "engine.execution_options(isolation_level='AUTOCOMMIT')", False),
        ("run_migrations_with(config.attributes['connection'])", False),
    ],
)
def test_whether_an_environment_runs_revisions_in_transactions(project, env, is_transactional):
    root = project(env=env)
    found = alembic_migration(f"{HEAD}def upgrade(): pass", "db/versions/a.py", root=root)
    assert found.is_transactional is is_transactional


def test_files_that_cannot_be_read_are_left_out(project):
    root = project(env=ENGINE)
    (root / "alembic.ini").write_bytes(b"\xff\xfe sqlalchemy.url = sqlite://")
    assert environment_of("db/versions/a.py", root).dialect == ""
