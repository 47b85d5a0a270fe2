"""What `dbguard lint` keeps of files and runs, and when it judges anew."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pytest_dbguard.cli import lint_command
from tests.cli.lint_texts import MODELS, PAGES

PACKAGE = Path(lint_command.__file__).parent.parent.parent


def test_literals_are_not_in_the_cache(lint, project, tmp_path_factory, monkeypatch):
    cache = tmp_path_factory.mktemp("kept")
    monkeypatch.setenv("DBGUARD_CACHE_DIR", str(cache))
    monkeypatch.setattr(sys, "argv", ["dbguard", "lint"])
    project(pages_sql="SELECT id FROM shops WHERE city <> 'geheim' ORDER BY random() LIMIT 1;\n")
    assert lint() == ["pages.sql:1:54 DBG407"]
    kept = [path.read_text() for path in cache.rglob("*") if path.is_file()]
    assert sum("DBG407" in text for text in kept) == 2
    assert not any("geheim" in text for text in kept)


def test_files_that_did_not_change_are_not_read_again(lint, project, monkeypatch):
    project(pages_sql=PAGES, other_sql=PAGES)
    first = lint()
    read = []
    monkeypatch.setattr("pytest_dbguard.linting.lint_run.read_source", spy(read))
    assert lint() == first
    assert read == []
    project(other_sql="SELECT id FROM shops WHERE id = 1;\n")
    assert lint() == ["pages.sql:4:10 DBG403"]
    assert read == ["other.sql"]
    assert lint("--select", "DBG407", status=0)[0].startswith("dbguard")
    assert read == ["other.sql", "other.sql", "pages.sql"]


def spy(read):
    from pytest_dbguard.linting.reading import read_source

    def reads(source, root, dialect=""):
        read.append(source.path)
        return read_source(source, root, dialect)

    return reads


def test_what_cannot_be_read_is_told_each_time(dbguard, project, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("DBGUARD_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    project(pages_sql="SELECT FROM WHERE ORDER BY (;\n" + PAGES)
    first, again = dbguard("lint", "-v"), dbguard("lint", "-v")
    assert first == again
    assert "1 shape not analysed: 1 not readable." in first.out


def test_a_revision_is_read_again_when_what_it_runs_in_changes(lint, project):
    revision = (
        "from alembic import op\nimport sqlalchemy as sa\nrevision = '2'\ndown_revision = '1'\n\n\ndef upgrade():\n"
        "    op.drop_column('shops', 'city')\n"
    )
    project(migrations__versions__two_py=revision, migrations__env_py="")
    assert "migrations/versions/two.py:8:5 DBG814" in lint()
    project(migrations__env_py="connection.execute(\"SET lock_timeout = '5s'\")\n")
    assert "migrations/versions/two.py:8:5 DBG814" not in lint()


def test_a_change_of_the_models_is_seen(shop, project, tmp_path_factory):
    root, cache = project(), tmp_path_factory.mktemp("cache")
    command = [sys.executable, "-m", "pytest_dbguard", "lint", f"{shop}.models:Base", "-q", "--select", "DBG202"]
    variables = {"DBGUARD_CACHE_DIR": str(cache), "PATH": "/usr/bin", "PYTHONPATH": str(PACKAGE)}

    def linted():
        done = subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True, check=True)
        return done.stdout.partition(" ")[0]

    assert linted() == linted() == f"{shop}/models.py:18:5:"
    assert len(list(cache.rglob("runs/*.json"))) == 1
    (root / shop / "models.py").write_text("\n" + MODELS)
    assert linted() == f"{shop}/models.py:19:5:"


def test_what_is_told_again_is_the_same(project, tmp_path_factory):
    root = project(pages_sql=PAGES)
    cache = tmp_path_factory.mktemp("cache")
    command = [sys.executable, "-m", "pytest_dbguard", "lint", "."]
    variables = {
        "DBGUARD_CACHE_DIR": str(cache),
        "PATH": "/usr/bin",
        "PYTHONPATH": str(PACKAGE),
    }
    first, again = (
        subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True, check=False) for _ in range(2)
    )
    assert (first.returncode, first.stdout, first.stderr) == (again.returncode, again.stdout, again.stderr)
    assert first.returncode == 1
    assert len(list(cache.rglob("runs/*.json"))) == 1
