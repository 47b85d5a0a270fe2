"""The command line as a whole: help, wrong use, faults, pipes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pytest_dbguard.cli import application
from pytest_dbguard.cli.application import COMMANDS, Command
from pytest_dbguard.core.errors import DbguardError


def python(code, **options):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, **options)


class TestHelp:
    def test_names_every_command(self, dbguard):
        result = dbguard("--help")
        assert result.status == 0
        for name, command in COMMANDS.items():
            shown = result.out.partition(f"  {name:<10}")[2].partition("\n  ")
            assert command.summary.startswith(shown[0].splitlines()[0])

    def test_is_what_no_arguments_get(self, dbguard):
        result = dbguard()
        assert (result.status, result.out) == (2, dbguard("--help").out)

    @pytest.mark.parametrize("command", COMMANDS)
    def test_of_a_command_says_what_the_list_says(self, dbguard, command):
        result = dbguard(command, "--help")
        assert result.status == 0
        assert result.out.split("\n\n")[1].startswith(f"  {COMMANDS[command].summary.rstrip('.')}")

    def test_imports_no_command_and_nothing_heavy(self):
        code = """
            import sys
            from pytest_dbguard.cli.application import run
            run(["--help"])
            heavy = {"pydantic", "sqlalchemy", "sqlglot", "pytest", "pytest_dbguard.cli.explain"}
            sys.exit(str(heavy & sys.modules.keys()) if heavy & sys.modules.keys() else 0)
            """
        result = python("\n".join(line.strip() for line in code.splitlines()))
        assert result.returncode == 0, result.stderr

    def test_fits_80_columns(self, dbguard):
        for arguments in (["--help"], *([command, "--help"] for command in COMMANDS)):
            assert max(map(len, dbguard(*arguments).out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["docter"], "dbguard: unknown command 'docter'\n  did you mean 'doctor'?\n"),
        (
            ["nonsense"],
            f"dbguard: unknown command 'nonsense'\n  known: {', '.join(sorted(COMMANDS))}\n",
        ),
        (["--nonsense"], "dbguard: no such option: --nonsense"),
        (["explain"], "dbguard: missing argument '"),
        (["rules", "--output-format", "xml"], "dbguard: invalid value for '--output-format': "),
        (["doctor", "--directory", "gone"], "dbguard: --directory: 'gone' is not a directory\n  give the root"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_is_one_message(dbguard, arguments, said):
    result = dbguard(*arguments)
    assert result.status == 2
    assert result.err.startswith(said)
    assert len(result.err.splitlines()) == 2
    assert result.out == ""


def add_command(monkeypatch, function):
    monkeypatch.setitem(vars(sys.modules[__name__]), "command", function)
    commands = {**COMMANDS, "new": Command(f"{__name__}:command", "Do something new.")}
    monkeypatch.setattr(application, "COMMANDS", commands)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])


class TestFaults:
    def test_an_error_of_ours_is_told_with_its_hint(self, dbguard, monkeypatch):
        def command():
            raise DbguardError("no room", hint="make some")

        add_command(monkeypatch, command)
        result = dbguard("new")
        assert (result.status, result.err) == (2, "dbguard: no room\n  make some\n")

    def test_an_internal_error_shows_no_traceback(self, dbguard, monkeypatch):
        def command():
            raise KeyError("x")

        add_command(monkeypatch, command)
        result = dbguard("new")
        assert result.status == 2
        assert result.err == "dbguard: internal error: KeyError: 'x'\n  dbguard --traceback COMMAND shows where\n"

    def test_an_internal_error_shows_its_traceback_when_asked(self, dbguard, monkeypatch):
        def command():
            raise KeyError("x")

        add_command(monkeypatch, command)
        result = dbguard("--traceback", "new")
        assert result.status == 2
        assert "Traceback (most recent call last)" in result.err

    def test_an_interrupt_ends_quietly(self, dbguard, monkeypatch):
        def command():
            raise KeyboardInterrupt

        add_command(monkeypatch, command)
        result = dbguard("new")
        assert (result.status, result.err.strip()) == (130, "")

    def test_the_status_of_a_command_is_ours(self, dbguard, monkeypatch):
        add_command(monkeypatch, lambda: 1)
        assert dbguard("new").status == 1


def test_python_m(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "pytest_dbguard", "explain", "n-plus-on"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr == "dbguard: unknown rule 'n-plus-on'\n  did you mean 'n-plus-one'?\n"


def test_a_reader_that_has_enough_is_no_error(tmp_path):
    read, write = os.pipe()
    os.close(read)
    try:
        result = subprocess.run(
            [sys.executable, "-m", "pytest_dbguard", "rules"],
            cwd=tmp_path,
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(write)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_terminal_without_unicode(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.dbguard]\nbaseline = 'grundlinie-ü.json'\n", encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "pytest_dbguard", "config"],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert b"grundlinie-?.json" in result.stdout
