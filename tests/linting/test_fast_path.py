"""A verdict is told again where nothing has changed, and never where anything has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_dbguard.core.findings import Finding, Fix, Severity, Shape, Site
from pytest_dbguard.core.verdict import Fault, Planning, RunTotals, Verdict
from pytest_dbguard.linting import fast_path
from pytest_dbguard.linting.fast_path import Watched, remember, replay
from pytest_dbguard.linting.presentation import Presentation

FINDING = Finding(
    "DBG403",
    "deep-offset",
    Severity.WARNING,
    "orders",
    "OFFSET reads rows only to drop them",
    Site("app/a.sql", 2, 3),
    fix=Fix("go on after the last row"),
    shape=Shape("abc", "SELECT id FROM orders OFFSET ?"),
)
TOTALS = RunTotals(files=2, statements=2, shapes=1)
FAILING = Verdict((FINDING,), totals=TOTALS, planning=Planning(("planned",), (("not readable", 1),), ("drift",)))
CLEAN = Verdict(totals=TOTALS)
ARGUMENTS = ("app", "-q")
OLD = 1_600_000_000


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Make a project whose files are old enough to be known by their times."""
    (tmp_path / "app").mkdir()
    for name in ("app/a.sql", "app/b.py", "pyproject.toml"):
        path = tmp_path / name
        path.write_text("SELECT 1;\n")
        os.utime(path, (OLD, OLD))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def environ(tmp_path_factory):
    return {"DBGUARD_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture
def remembered(project, environ):
    """Remember a verdict on the project as it is."""

    def remembered(verdict=FAILING, reports=("concise",), **how):
        sources = (project / "app/a.sql", project / "app/b.py")
        others = (project / "pyproject.toml", project / "dbguard.toml")
        watched = Watched((project / "app",), project, (), sources, others)
        remember(ARGUMENTS, verdict, ("b.py: not read",), Presentation(reports, **how), watched, environ)

    return remembered


def test_it_is_told_again_with_its_status(remembered, environ, capsys):
    remembered()
    assert replay(ARGUMENTS, environ) == 1
    told = capsys.readouterr()
    assert told.out == "app/a.sql:2:3: DBG403 deep-offset: OFFSET reads rows only to drop them\n"
    assert told.err == "dbguard: b.py: not read\n"


def test_findings_may_leave_the_status_at_zero(remembered, environ):
    remembered(exit_zero=True)
    assert replay(ARGUMENTS, environ) == 0


def test_a_clean_run_says_so(remembered, environ, capsys):
    remembered(CLEAN, ("term",))
    assert replay(ARGUMENTS, environ) == 0
    assert capsys.readouterr().out == "dbguard: 2 files, 2 statements, no findings.\n"


def test_reports_are_written_again(project, remembered, environ):
    remembered(reports=("json:report.json",))
    assert replay(ARGUMENTS, environ) == 1
    assert '"DBG403"' in (project / "report.json").read_text()


@pytest.mark.parametrize("arguments", [("app",), ("app", "-q", "--preview"), ("app", "-q", "--no-cache"), ("-",)])
def test_another_command_is_none_of_it(remembered, environ, arguments):
    remembered()
    assert replay(arguments, environ) is None


def test_other_settings_in_the_environment_are_none_of_it(remembered, environ):
    remembered()
    assert replay(ARGUMENTS, {**environ, "DBGUARD_SELECT": "DBG4"}) is None


CHANGES = {
    "a source": lambda project: (project / "app/a.sql").write_text("SELECT 22;\n"),
    "a source of the same size": lambda project: (project / "app/a.sql").write_text("SELECT 2;\n"),
    "a new source": lambda project: (project / "app/c.sql").write_text(""),
    "a source in a new directory": lambda project: [
        (project / "app/deep").mkdir(),
        (project / "app/deep/c.py").write_text(""),
    ],
    "a source that is gone": lambda project: (project / "app/b.py").unlink(),
    "the settings": lambda project: (project / "pyproject.toml").write_text("[tool]\n"),
    "settings that were not there": lambda project: (project / "dbguard.toml").write_text(""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_any_change_is_seen(project, remembered, environ, change):
    remembered()
    change(project)
    assert replay(ARGUMENTS, environ) is None


def test_a_change_within_the_tick_of_the_clock_is_seen(project, remembered, environ):
    path = project / "app/a.sql"
    path.write_text("SELECT 3;\n")
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    remembered()
    path.write_text("SELECT 4;\n")
    os.utime(path, ns=times)
    assert replay(ARGUMENTS, environ) is None


def test_other_times_with_the_same_content_are_no_change(project, remembered, environ):
    remembered()
    os.utime(project / "app/a.sql", (OLD + 5, OLD + 5))
    assert replay(ARGUMENTS, environ) == 1


def test_files_that_hold_no_source_are_no_change(project, remembered, environ):
    remembered()
    (project / "app/notes.txt").write_text("")
    (project / "app/__pycache__").mkdir()
    (project / "app/__pycache__/b.py").write_text("")
    assert replay(ARGUMENTS, environ) == 1


def test_faults_are_not_remembered(remembered, environ):
    remembered(Verdict(faults=(Fault("rule DBG403", "KeyError"),)))
    assert replay(ARGUMENTS, environ) is None


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', "\x00"])
def test_what_cannot_be_understood_is_nothing(remembered, environ, text):
    remembered()
    (file,) = Path(environ["DBGUARD_CACHE_DIR"]).glob("lint/runs/*.json")
    file.write_text(text)
    assert replay(ARGUMENTS, environ) is None


def test_a_few_runs_are_kept(remembered, environ, monkeypatch):
    monkeypatch.setattr(fast_path, "MAX_RUNS", 1)
    remembered()
    monkeypatch.setattr("tests.linting.test_fast_path.ARGUMENTS", ("app",))
    remembered()
    assert len(list(Path(environ["DBGUARD_CACHE_DIR"]).glob("lint/runs/*.json"))) == 1


def test_nothing_slow_is_imported(project, remembered, environ):
    remembered()
    program = (
        "import sys; sys.argv = ['dbguard', 'lint', 'app', '-q']\n"
        "from pytest_dbguard.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: status = end.code\n"
        "slow = {'typer', 'pydantic', 'sqlalchemy', 'sqlglot', 'psycopg', 'pytest'} & sys.modules.keys()\n"
        "print(status, sorted(slow))\n"
    )
    package = str(Path(fast_path.__file__).parent.parent.parent)
    variables = {**os.environ, **environ, "PYTHONPATH": package}
    variables = {
        name: value for name, value in variables.items() if name == "DBGUARD_CACHE_DIR" or "DBGUARD" not in name
    }
    remembering = {**environ, "PYTHONPATH": package}
    sources = (project / "app/a.sql", project / "app/b.py")
    watched = Watched((project / "app",), project, (), sources, ())
    remember(ARGUMENTS, CLEAN, (), Presentation(("term",)), watched, remembering)
    done = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=False)
    assert done.stdout == "dbguard: 2 files, 2 statements, no findings.\n0 []\n", done.stderr
