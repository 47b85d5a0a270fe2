"""`dbguard doctor`: what it looks at, and what it says."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError

import pytest

from pytest_dbguard.cli import doctor
from pytest_dbguard.cli.checks import databases, plugin, versions
from pytest_dbguard.cli.checks.base import Check, State, Subject
from pytest_dbguard.cli.checks.plans import check_plans
from pytest_dbguard.core.errors import DatabaseError


@pytest.fixture
def subject(dbguard, tmp_path):
    return Subject(tmp_path)


class TestCommand:
    def test_content(self, dbguard):
        result = dbguard("doctor")
        assert result.status == 0, result.out
        assert result.out.endswith("\nno problems\n")
        assert "ok       database sqlite can start here\n" in result.out
        assert max(map(len, result.out.splitlines())) <= 80

    def test_problems(self, dbguard, configured, tmp_path):
        configured("[tool.dbguard]\nfail-onn = 'error'\n")
        (tmp_path / "dbguard-baseline.json").write_text("{")
        result = dbguard("doctor")
        assert result.status == 1
        assert "problem  configuration: pyproject.toml: tool.dbguard: unknown key 'fail-onn'\n" in result.out
        assert "         -> did you mean 'fail-on'?\n" in result.out
        assert "problem  baseline:" in result.out
        assert result.out.endswith("\n2 problems\n")
        assert result.err == ""

    def test_json(self, dbguard):
        document = json.loads(dbguard("doctor", "--output-format", "json").out)
        assert document["format"] == 1
        assert {check["state"] for check in document["checks"]} <= {"ok", "note", "problem"}
        assert all(check.keys() == {"state", "what", "next_step"} for check in document["checks"])

    def test_start_starts_what_can(self, dbguard, monkeypatch):
        monkeypatch.setattr(databases, "PROVIDERS", {"sqlite": databases.PROVIDERS["sqlite"]})
        assert "ok       database sqlite 3." in dbguard("doctor", "--start").out

    def test_a_check_that_fails_is_a_problem_and_stops_no_other(self, subject):
        checks = list(doctor.run_checks(subject, ["gone.module:check_it", doctor.CHECKS[-1]]))
        assert checks[0].state is State.PROBLEM
        assert checks[0].what == "check it: ModuleNotFoundError: No module named 'gone'"
        assert len(checks) > 1


def states(checks):
    return {check.what: str(check.state) for check in checks}


class TestSettings:
    @pytest.fixture
    def told(self, subject, configured):
        from pytest_dbguard.cli.checks.settings import check_settings

        def told(text):
            configured(text)
            return list(check_settings(subject))

        return told

    def test_content(self, told):
        (check,) = told("[tool.dbguard]\nselect = ['DBG101']\n")
        assert check == Check(State.OK, "configuration: pyproject.toml, environment test, 1 rule")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("select = ['DBG999']", "unknown rule 'DBG999'"),
            ("rules.n-plus-on = {}", "unknown rule 'n-plus-on'"),
            ("rules.n-plus-one = {treshold = 3}", "treshold"),
            ("report = ['jsn:a.json']", "unknown report type 'jsn'"),
            ("app-paths = ['shp']", "app-paths: 'shp' does not exist in "),
            ("default-env = 'prod'", "unknown environment 'prod'"),
            ("ignore = ['n-plus-on:Order.items']", "ignore: unknown rule 'n-plus-on'"),
            ("per-path-ignores = {'shop/a**' = ['DBG1']}", "`**` stands for whole directories"),
            ("per-path-ignores = {'shop/*' = ['DBG999']}", "per-path-ignores: 'shop/*': unknown rule 'DBG999'"),
            ("per-path-ignores = {'shp/*' = ['DBG1']}", "per-path-ignores: 'shp' does not exist in "),
        ],
    )
    def test_what_cannot_be_used(self, told, text, said):
        checks = told(f"[tool.dbguard]\n{text}\n")
        assert checks[-1].state is State.PROBLEM
        assert said in checks[-1].what
        assert checks[-1].next_step

    def test_no_file(self, told, tmp_path, subject):
        from pytest_dbguard.cli.checks.settings import check_settings

        (tmp_path / "pyproject.toml").unlink()
        (check,) = check_settings(subject)
        assert "defaults, there is no pyproject.toml" in check.what


class TestBaseline:
    @pytest.fixture
    def told(self, subject):
        from pytest_dbguard.cli.checks.baseline import check_baseline

        return lambda: next(check_baseline(subject))

    def test_not_there(self, told):
        check = told()
        assert check.state is State.OK
        assert "--dbguard-update-baseline" in check.next_step

    def test_not_used(self, told, configured):
        configured("[tool.dbguard]\nbaseline = 'none'\n")
        assert told() == Check(State.OK, "baseline: none is used, every finding is new")

    def test_readable(self, told, tmp_path):
        (tmp_path / "dbguard-baseline.json").write_text('{"format": 1, "findings": []}')
        assert told() == Check(State.OK, "baseline: dbguard-baseline.json accepts 0")

    def test_of_another_version(self, told, tmp_path):
        (tmp_path / "dbguard-baseline.json").write_text('{"format": 99, "findings": []}')
        assert told().state is State.PROBLEM


class Provider:
    kind = "sqlite"

    def __init__(self, reason=None):
        self.reason = reason

    def available(self, options):
        return self.reason

    def launch(self, options):
        raise DatabaseError("no room", hint="make some")


class TestDatabases:
    @pytest.fixture
    def told(self, tmp_path, dbguard, monkeypatch):
        def told(provider, *, start=False):
            monkeypatch.setattr(databases, "PROVIDERS", {"sqlite": ""})
            monkeypatch.setattr(databases, "load_provider", lambda kind: provider)
            (check,) = databases.check_databases(Subject(tmp_path, start=start))
            return check

        return told

    def test_one_that_can_start(self, told):
        assert told(Provider()) == Check(State.OK, "database sqlite can start here")

    def test_one_that_nobody_asked_for_is_a_note(self, told):
        check = told(Provider("the wheel is missing; run: pip install it"))
        assert check == Check(
            State.NOTE, "database sqlite cannot start here: the wheel is missing", "run: pip install it"
        )

    def test_one_that_the_configuration_asks_for_is_a_problem(self, told, configured):
        configured("[tool.dbguard]\ndatabase = 'sqlite'\n")
        assert told(Provider("the wheel is missing")).state is State.PROBLEM

    def test_one_that_fails_to_start(self, told):
        assert told(Provider(), start=True) == Check(State.PROBLEM, "database sqlite: no room", "make some")


class TestPlugin:
    def told(self, subject):
        (check,) = plugin.check_plugin(subject)
        return check

    def test_content(self, subject):
        assert self.told(subject).state is State.OK

    def test_not_installed(self, subject, monkeypatch):
        monkeypatch.setattr(plugin, "entry_points", lambda group: [])
        assert "pip install pytest-dbguard" in self.told(subject).next_step

    @pytest.mark.parametrize(
        ("variable", "value", "said"),
        [
            ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1", "loads no plugins by itself"),
            ("PYTEST_ADDOPTS", "-q -p no:dbguard", "switches the plugin off"),
            ("PYTEST_ADDOPTS", "-pno:dbguard", "switches the plugin off"),
        ],
    )
    def test_switched_off(self, subject, monkeypatch, variable, value, said):
        monkeypatch.setenv(variable, value)
        check = self.told(subject)
        assert check.state is State.PROBLEM
        assert said in check.what


class TestVersions:
    @pytest.fixture
    def told(self, subject, monkeypatch):
        def told(**installed):
            def version(name):
                if name not in installed:
                    raise PackageNotFoundError(name)
                return installed[name]

            monkeypatch.setattr(versions, "version", version)
            return list(versions.check_versions(subject))

        return told

    def test_what_is_installed_here_is_enough(self, subject):
        assert "problem" not in states(versions.check_versions(subject)).values()

    def test_too_old(self, told):
        checks = told(sqlalchemy="2.0.29")
        assert Check(State.PROBLEM, "sqlalchemy 2.0.29 is not >=2.0.30", "pip install 'sqlalchemy>=2.0.30'") in checks

    def test_a_version_before_its_release_is_enough(self, told):
        assert Check(State.OK, "sqlalchemy 2.1.0b3") in told(sqlalchemy="2.1.0b3")

    def test_missing(self, told):
        assert states(told())["typer is not installed"] == "problem"

    def test_what_is_optional_is_a_note(self, told):
        (check,) = [check for check in told() if check.what.startswith("optional postgres")]
        assert check.state is State.NOTE
        assert check.next_step == "pip install 'pytest-dbguard[postgres]'"

    def test_a_python_that_is_too_old(self, subject, monkeypatch):
        monkeypatch.setattr(versions.platform, "python_version", lambda: "3.10.2")
        assert states(versions.check_versions(subject))["Python 3.10.2 is not >=3.11"] == "problem"

    def test_not_installed_at_all(self, subject, monkeypatch):
        def missing(name):
            raise PackageNotFoundError(name)

        monkeypatch.setattr(versions, "metadata", missing)
        (check,) = versions.check_versions(subject)
        assert check == Check(State.PROBLEM, "pytest-dbguard is not installed", "pip install pytest-dbguard")


class TestPlans:
    def test_without_sizes_it_tells_the_default(self, subject):
        assert states(check_plans(subject)) == {
            "plans: no sizes of tables are known, so each counts 100,000 rows": "note"
        }

    def test_declared_sizes(self, subject, configured):
        configured("[tool.dbguard.scale]\norders = 10_000_000\nusers = 5_000\n")
        assert states(check_plans(subject)) == {"plans: sizes of 2 tables from [tool.dbguard.scale]": "ok"}

    def test_sizes_that_are_none(self, subject, configured):
        configured("[tool.dbguard.scale]\norders = 'many'\n")
        (check,) = check_plans(subject)
        assert check.state is State.PROBLEM
        assert "orders" in check.what

    def test_a_file_that_is_missing(self, subject, configured):
        configured("[tool.dbguard]\nstatistics = 'gone.json'\n")
        (check,) = check_plans(subject)
        assert check.state is State.PROBLEM
        assert "gone.json" in check.what

    def test_no_lab(self, subject, configured):
        configured("[tool.dbguard]\nlab = 'off'\n[tool.dbguard.scale]\norders = 1\n")
        assert "note" in states(check_plans(subject)).values()
