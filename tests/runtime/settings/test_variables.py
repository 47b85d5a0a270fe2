"""Variables `DBGUARD_RUNTIME_*`."""

from __future__ import annotations

import pytest

from pytest_dbguard.config.environment import read_environment
from pytest_dbguard.runtime.settings.fields import ONLY_KEYWORDS, leaves
from pytest_dbguard.runtime.settings.model import DatabaseSettings
from pytest_dbguard.runtime.settings.variable_names import known_variables, variable_name


def urls(settings):
    return [target.url.shown for target in settings.targets()]


class TestValues:
    @pytest.mark.parametrize(
        ("variable", "text", "path", "value"),
        [
            ("PROCESSES", " 4 ", ("processes",), 4),
            ("POOL__TIMEOUT_S", "1.5", ("pool", "timeout_s"), 1.5),
            ("POOL__TIMEOUT_S", "2", ("pool", "timeout_s"), 2.0),
            ("MONITORING__ALERTS", "yes", ("monitoring", "alerts"), True),
            ("MONITORING__ENABLED", "Off", ("monitoring", "enabled"), False),
            ("TLS__MODE", "require", ("tls", "mode"), "require"),
            ("ROLES__ANALYTICS__STATEMENT_S", "none", ("roles", "analytics", "statement_s"), None),
            ("ROLES__ANALYTICS__ISOLATION", "REPEATABLE READ", ("roles", "analytics", "isolation"), "REPEATABLE READ"),
            ("ROLES__READONLY__POOL__SIZE", "7", ("roles", "readonly", "pool", "size"), 7),
            ("APP", "42", ("app",), "42"),
        ],
    )
    def test_text_becomes_what_the_setting_is(self, load, variable, text, path, value):
        found = load({f"DBGUARD_RUNTIME_{variable}": text})
        for name in path:
            found = getattr(found, name)
        assert found == value
        assert type(found) is type(value)

    def test_an_empty_one_says_nothing(self, load):
        assert load({"DBGUARD_RUNTIME_PROCESSES": " ", "DBGUARD_RUNTIME_URL": ""}).processes == 1

    def test_url_is_short_for_that_of_the_primary(self, load):
        short = load({"DBGUARD_RUNTIME_URL": "sqlite:///a.db"})
        long = load({"DBGUARD_RUNTIME_ROLES__PRIMARY__URL": "sqlite:///a.db"})
        assert short == long
        assert short.url == short.roles.primary.url

    def test_a_section_as_json(self, load):
        settings = load({"DBGUARD_RUNTIME_POOL": '{"size": 3, "max-waiting": 5}'})
        assert (settings.pool.size, settings.pool.max_waiting) == (3, 5)

    def test_replicas_as_json(self, load):
        settings = load({"DBGUARD_RUNTIME_ROLES__READONLY__REPLICAS": '["sqlite:///a.db", {"url": "sqlite:///b.db"}]'})
        assert urls(settings) == ["sqlite:///a.db", "sqlite:///b.db"]

    def test_replicas_by_number(self, load):
        replica = "DBGUARD_RUNTIME_ROLES__READONLY__REPLICAS"
        settings = load(
            {
                f"{replica}__10__URL": "sqlite:///last.db",
                f"{replica}__2__URL": "sqlite:///middle.db",
                f"{replica}__1__URL": "sqlite:///first.db",
                f"{replica}__2__WEIGHT": "3",
            }
        )
        assert urls(settings) == ["sqlite:///first.db", "sqlite:///middle.db", "sqlite:///last.db"]
        assert [target.weight for target in settings.targets()] == [1.0, 3.0, 1.0]
        assert settings.source(("roles", "readonly", "replicas", 2, "url")).endswith("REPLICAS__10__URL")


class TestFiles:
    @pytest.fixture
    def secret_file(self, tmp_path):
        def secret_file(text, name="secret"):
            (tmp_path / name).write_text(text)
            return str(tmp_path / name)

        return secret_file

    def test_a_file_holds_the_value(self, load, secret_file):
        settings = load({"DBGUARD_RUNTIME_URL_FILE": secret_file("sqlite:///a.db\n")})
        assert urls(settings) == ["sqlite:///a.db"]

    def test_any_setting_may_stand_in_one(self, load, secret_file):
        settings = load({"DBGUARD_RUNTIME_POOL__SIZE_FILE": secret_file("6\n")})
        assert settings.pool.size == 6
        assert settings.source(("pool", "size")) == "environment variable DBGUARD_RUNTIME_POOL__SIZE_FILE"

    def test_a_password_apart_from_its_url(self, load, secret_file):
        """Spaces belong to it; only the end of the line does not."""
        settings = load(
            {
                "DBGUARD_RUNTIME_URL": "postgresql://me@db/shop",
                "DBGUARD_RUNTIME_PASSWORD_FILE": secret_file(" p@ss:w/rd \r\n"),
            }
        )
        assert settings.target("primary").url.reveal().password == " p@ss:w/rd "

    @pytest.mark.parametrize(
        ("content", "said"), [(None, "cannot be read: No such file"), ("\n", "is empty"), ("x" * 70_000, "is longer")]
    )
    def test_one_that_cannot_be_used(self, problems, secret_file, tmp_path, content, said):
        path = str(tmp_path / "gone-secret") if content is None else secret_file(content, "gone-secret")
        (line,) = problems({"DBGUARD_RUNTIME_URL_FILE": path})
        assert line.startswith("environment variable DBGUARD_RUNTIME_URL_FILE: the file that it names")
        assert said in line

    def test_what_is_no_text(self, problems, tmp_path):
        (tmp_path / "secret").write_bytes(b"\xff\xfe\x00")
        (line,) = problems({"DBGUARD_RUNTIME_URL_FILE": str(tmp_path / "secret")})
        assert "not UTF-8" in line

    def test_a_value_in_place_of_the_path_is_not_shown(self, problems):
        (line,) = problems({"DBGUARD_RUNTIME_PASSWORD_FILE": "hunter2"})
        assert "hunter2" not in line
        assert "not the value itself" in line

    def test_a_wrong_value_in_a_file_names_the_variable(self, problems, secret_file):
        (line,) = problems({"DBGUARD_RUNTIME_POOL__SIZE_FILE": secret_file("many")})
        assert line.startswith("environment variable DBGUARD_RUNTIME_POOL__SIZE_FILE: expected a whole number")


class TestWhatIsWrong:
    @pytest.mark.parametrize(
        ("variable", "meant"),
        [
            ("DBGUARD_RUNTIME_POOL_SIZE", "DBGUARD_RUNTIME_POOL__SIZE"),
            ("DBGUARD_RUNTIME_POOL__SIZ", "DBGUARD_RUNTIME_POOL__SIZE"),
            ("DBGUARD_RUNTIME_POL__SIZE", "DBGUARD_RUNTIME_POOL__SIZE"),
            ("DBGUARD_RUNTIME__URL", "DBGUARD_RUNTIME_URL"),
            ("DBGUARD_RUNTIME_URL_FIEL", "DBGUARD_RUNTIME_URL_FILE"),
            (
                "DBGUARD_RUNTIME_ROLES__READONLY__REPLICAS__1__WEIHGT",
                "DBGUARD_RUNTIME_ROLES__READONLY__REPLICAS__1__WEIGHT",
            ),
            ("DBGUARD_RUNTME_URL", "DBGUARD_RUNTIME_URL"),
        ],
    )
    def test_an_unknown_one_has_its_nearest_match(self, problems, variable, meant):
        (line,) = problems({variable: "hunter2"})
        assert line.splitlines() == [f"environment variable {variable}: unknown setting", f"  did you mean {meant}?"]

    @pytest.mark.parametrize(
        "rest", ["FLUX__CAPACITOR__9", "REPLICAS__1", "ROLES__READONLY__REPLICAS__1", "pool__size"]
    )
    def test_what_is_near_nothing_is_refused_too(self, problems, rest):
        (line,) = problems({f"DBGUARD_RUNTIME_{rest}": "1"})
        assert f"environment variable DBGUARD_RUNTIME_{rest}: unknown setting" in line
        assert "did you mean" in line or "dbguard config --runtime lists the settings" in line

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("URL", "URL_FILE"),
            ("URL", "ROLES__PRIMARY__URL"),
            ("ROLES__PRIMARY__URL_FILE", "URL"),
            ("POOL__SIZE", "POOL"),
        ],
    )
    def test_one_setting_by_two_variables(self, problems, tmp_path, one, other):
        (tmp_path / "secret").write_text("sqlite:///a.db")
        texts = {"POOL": '{"size": 3}', "POOL__SIZE": "3"}
        environ = {
            f"DBGUARD_RUNTIME_{name}": texts.get(name, str(tmp_path / "secret") if "FILE" in name else "sqlite:///a.db")
            for name in (one, other)
        }
        (line,) = problems(environ)
        assert "given twice" in line
        assert all(name in line for name in environ)

    @pytest.mark.parametrize("text", ["size=3", "3", "{"])
    def test_a_section_that_is_no_json(self, problems, text):
        (line,) = problems({"DBGUARD_RUNTIME_POOL": text})
        assert "environment variable DBGUARD_RUNTIME_POOL: expected JSON of a table or a list" in line
        assert "DBGUARD_RUNTIME_POOL__SIZE" in line

    def test_what_is_wrong_within_json(self, problems):
        lines = problems({"DBGUARD_RUNTIME_POOL": '{"siz": 3, "overflow": -1}'})
        assert [line.partition(" (")[0] for line in lines] == [
            "environment variable DBGUARD_RUNTIME_POOL: pool: unknown key 'siz'",
            "environment variable DBGUARD_RUNTIME_POOL: pool.overflow: expected 0 or more, not -1",
        ]

    def test_a_function_is_no_text(self, problems):
        (line,) = problems({"DBGUARD_RUNTIME_PASSWORD_FROM": "module:function"})
        assert "only a keyword argument can say so" in line


class TestTogetherWithTheTestsSide:
    def test_every_setting_has_a_variable(self):
        names = set(known_variables(DatabaseSettings))
        missing = [path for path, _ in leaves(DatabaseSettings) if variable_name(path) not in names]
        assert {path[-1] for path in missing} <= ONLY_KEYWORDS

    def test_none_of_them_disturbs_the_configuration_of_tests(self):
        layer = read_environment(dict.fromkeys(known_variables(DatabaseSettings), "x"))
        assert (dict(layer.values), layer.problems) == ({}, ())

    @pytest.mark.parametrize(
        "name", ["DBGUARD_URL", "DBGUARD_DATABASE", "DBGUARD_MAX_QUERIES", "DBGUARD_TRUNK", "DBGUARD"]
    )
    def test_the_variables_of_tests_are_not_ours(self, load, name):
        assert load({name: "sqlite:///tests.db"}).targets() == ()
