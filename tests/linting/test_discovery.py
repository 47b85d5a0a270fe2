"""Which files are read when directories are named."""

from __future__ import annotations

import os

import pytest

from pytest_dbguard.linting.discovery import discover


@pytest.fixture
def project(tmp_path):
    for name in (
        "app/models.py",
        "app/queries/orders.SQL",
        "app/queries/orders.md",
        "migrations/0001.sql",
        "setup.py",
        ".git/hooks/a.py",
        ".venv/lib/a.py",
        "env/lib/site.py",
        "env/pyvenv.cfg",
        "node_modules/a/b.sql",
        "app/__pycache__/models.py",
        "app.egg-info/a.py",
        "build/a.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return tmp_path


def found(project, targets, excludes=()):
    paths = discover([project / target for target in targets], project, excludes)
    return [path.relative_to(project).as_posix() for path in paths]


def test_directories_are_searched_but_for_what_is_not_the_projects(project):
    expected = ["app/models.py", "app/queries/orders.SQL", "migrations/0001.sql", "setup.py"]
    assert found(project, ["."]) == found(project, ["app", ".", "setup.py"]) == expected


def test_a_file_that_is_named_is_taken_whatever_it_is_called(project):
    assert found(project, ["build/a.py", "app/queries/orders.md"], ["build"]) == ["app/queries/orders.md", "build/a.py"]


def test_a_directory_that_is_named_is_searched_although_it_is_hidden(project):
    assert found(project, [".git"]) == [".git/hooks/a.py"]


@pytest.mark.parametrize(
    ("excludes", "left"),
    [
        (["app"], ["migrations/0001.sql", "setup.py"]),
        (["**/*.sql", "*.py"], ["app/models.py", "app/queries/orders.SQL"]),
    ],
)
def test_globs_leave_files_and_directories_out(project, excludes, left):
    assert found(project, ["."], excludes) == left


def test_links_lead_nowhere_else(project, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "far.py").write_text("")
    os.symlink(other, project / "app" / "linked")
    assert "app/linked/far.py" not in found(project, ["app"])


def test_a_target_that_is_not_there_is_named(project):
    with pytest.raises(FileNotFoundError, match="missing"):
        discover([project / "missing"], project)
