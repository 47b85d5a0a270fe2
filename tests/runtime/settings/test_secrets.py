"""No password is ever shown, written down or carried along."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback

import pytest
from psycopg import conninfo
from pydantic import SecretStr
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.runtime.settings import DatabaseSettings, DatabaseUrl, Password, ReplicaSettings, RoleSettings

SECRET = "hunter2"
URL_TEXT = f"postgresql://me:{SECRET}@db/shop"


def rotating():
    return SECRET


@pytest.fixture
def settings():
    return DatabaseSettings(
        url=URL_TEXT,
        password=SECRET,
        password_from=rotating,
        roles={
            "readonly": {"replicas": [f"postgresql://db/shop?password={SECRET}", {"url": URL_TEXT, "weight": 2}]},
            "analytics": {"url": "postgresql://db/shop", "password": SECRET, "password_from": rotating},
        },
    )


class TestShown:
    @pytest.mark.parametrize(
        "show",
        [
            repr,
            str,
            lambda settings: str(settings.model_dump()),
            lambda settings: str(settings.model_dump(mode="json")),
            lambda settings: settings.model_dump_json(),
            lambda settings: str(settings.targets()),
            lambda settings: str([target.url for target in settings.targets()]),
            lambda settings: str([vars(target) for target in settings.targets()]),
            lambda settings: repr(vars(settings)),
            lambda settings: json.dumps(settings.model_dump(), default=str),
            lambda settings: f"{settings.url} {settings.url!r} {settings.password} {settings.password!r}",
            lambda settings: str(settings.model_copy(update={"processes": 2})),
            lambda settings: str(copy.deepcopy(settings)),
        ],
    )
    def test_nowhere(self, settings, show):
        shown = show(settings)
        assert SECRET not in shown
        assert "***" in shown or "Target" in shown

    def test_not_in_what_it_keeps_for_itself(self, settings):
        assert SECRET not in repr(settings.__pydantic_private__)

    def test_not_in_a_log(self, settings, caplog):
        logging.getLogger("shop").error("%s %r", settings, settings.targets())
        assert SECRET not in caplog.text

    def test_but_whoever_connects_has_it(self, settings):
        passwords = [settings.engine_url(target).password for target in settings.targets()]
        assert passwords == [SECRET, SECRET, SECRET, SECRET]
        assert settings.target("primary").password_from() == SECRET

    @pytest.mark.parametrize("drivername", ["postgresql", "postgresql+asyncpg"])
    @pytest.mark.parametrize("is_async", [False, True])
    def test_not_by_an_engine_whose_url_says_it_in_other_words(self, drivername, is_async):
        url = f"{drivername}://me@db/shop?password={SECRET}&password={SECRET}&sslpassword={SECRET}"
        settings = DatabaseSettings(url=url)
        target, options = settings.target("primary"), settings.engine_options(is_async=is_async)
        engine = (create_async_engine if is_async else create_engine)(
            settings.engine_url(target, is_async=is_async), **options
        )
        assert SECRET not in f"{engine!r} {engine.url!r} {options!r}"
        assert settings.engine_url(target, is_async=is_async).password == SECRET

    def test_but_libpq_has_it(self):
        settings = DatabaseSettings(url=f"postgresql://me@db/shop?sslpassword={SECRET}")
        assert settings.engine_options()["connect_args"]["sslpassword"] == SECRET
        assert f"sslpassword={SECRET}" in conninfo.make_conninfo(**settings.engine_options()["connect_args"])

    def test_functions_are_in_no_dump(self, settings):
        assert "password_from" not in settings.model_dump()
        assert "password_from" not in settings.model_dump()["roles"]["analytics"]


class TestCarriedAlong:
    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_pickle_refuses_and_says_what_to_do(self, settings, protocol):
        parts = (settings, settings.url, settings.password, settings.roles, settings.target("primary"))
        for part in parts:
            with pytest.raises(TypeError, match=r"not pickled; make them anew in the other process, by `load`"):
                pickle.dumps(part, protocol)

    def test_also_where_there_is_none(self):
        """Whether a program works must not depend on whether there is a password today."""
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(DatabaseSettings(profile="test"))

    def test_what_holds_no_url_may_be(self, settings):
        assert pickle.loads(pickle.dumps(settings.pool)) == settings.pool

    def test_a_copy_is_the_same(self, settings):
        for twin in (copy.copy(settings), copy.deepcopy(settings), settings.model_copy()):
            assert twin == settings
            assert twin.engine_url(twin.target("primary")).password == SECRET


WRONG = [
    {"url": f"postgresq://me:{SECRET}@db/shop"},
    {"url": f"me:{SECRET}@db/shop"},
    {"url": f"postgresql://me:{SECRET}@db:port/shop"},
    {"url": f"mysql://me:{SECRET}@db/shop"},
    {"url": [URL_TEXT]},
    {"url": {"password": SECRET}},
    {"password": [SECRET]},
    {"password_from": SECRET},
    {"roles": {"primary": {"url": f"{SECRET}"}}},
    {"roles": {"readonly": {"replicas": [f"nonsense:{SECRET}"]}}},
    {"roles": {"readonly": {"replicas": [{"url": URL_TEXT, "weight": -1}]}}},
    {"roles": {"readonly": {"replicas": f"postgresql://me:{SECRET}@db/shop"}}},
    {"roles": {"primary": URL_TEXT}},
    {"roles": {"primary": {"url": URL_TEXT, "password": SECRET}}},
    {"ur": URL_TEXT},
    {"app": URL_TEXT},
    {"tls": {"root_cert": URL_TEXT}},
    {"backup": {"directory": URL_TEXT, "schedule": URL_TEXT}},
    {"routing": {"cookie": URL_TEXT}},
    {"pool": URL_TEXT},
    {"profile": URL_TEXT},
    {"url": URL_TEXT, "profile": "production", "tls": {"mode": "disable"}},
]


def everything_about(error):
    """Return what a reporter of errors that prints all variables would send away."""
    ours = traceback.TracebackException.from_exception(error, capture_locals=True)
    # what a test itself holds is not ours to hide
    frames = [frame for frame in ours.stack if "tests/runtime" not in frame.filename]
    causes = [repr(each) for each in (error.__cause__, error.__context__)]
    return "\n".join([*map(str, frames), *(str(frame.locals) for frame in frames), str(error), repr(error), *causes])


class TestErrors:
    @pytest.mark.parametrize("keywords", WRONG)
    @pytest.mark.parametrize("how", ["call", "load"])
    def test_of_keywords(self, keywords, how, tmp_path):
        call = (
            DatabaseSettings if how == "call" else lambda **given: DatabaseSettings.load(tmp_path, environ={}, **given)
        )
        with pytest.raises(ConfigError) as raised:
            call(**keywords)
        assert SECRET not in everything_about(raised.value)

    @pytest.mark.parametrize(
        "name", ["URL", "PASSWORD_FILE", "URL_FILE", "ROLES__PRIMARY__UR", "POOL", "TLS__KEY", "ROLES"]
    )
    def test_of_variables(self, name, tmp_path, monkeypatch):
        monkeypatch.setenv(f"DBGUARD_RUNTIME_{name}", f"x:{SECRET}")
        with pytest.raises(ConfigError) as raised:
            DatabaseSettings.load(tmp_path)
        told = everything_about(raised.value)
        # a path is no secret, and is quoted where it is wrong
        assert SECRET not in told or name == "TLS__KEY"

    @pytest.mark.parametrize(
        "text",
        [
            f"[tool.dbguard.runtime]\nurl = 'postgresql://me:{SECRET}@db:port/shop'",
            f"[tool.dbguard.runtime]\nurl = 'postgresql://me:{SECRET}@db/shop'\nurll = 3",
            f"[tool.dbguard.runtime]\nurl = 'postgresql://me:{SECRET}@db/shop'\nbroken",
            f"[tool.dbguard.runtime]\nurl = '''postgresql://me:{SECRET}@db/shop",
        ],
    )
    def test_of_a_file(self, project, text):
        root = project(text)
        with pytest.raises(ConfigError) as raised:
            DatabaseSettings.load(root, environ={}, profile="production")
        assert SECRET not in everything_about(raised.value)

    def test_of_a_section_alone(self):
        for make in (
            lambda: RoleSettings(url=f"nonsense {SECRET}"),
            lambda: ReplicaSettings(url=URL_TEXT, weight="x"),
            lambda: RoleSettings(url=URL_TEXT, isolation=3),
        ):
            with pytest.raises(ValueError, match="validation error") as raised:
                make()
            assert SECRET not in str(raised.value)


class TestUrl:
    @pytest.mark.parametrize(
        "given", [URL_TEXT, make_url(URL_TEXT), SecretStr(URL_TEXT), Password(URL_TEXT), DatabaseUrl(URL_TEXT)]
    )
    def test_by_whatever_holds_one(self, given):
        url = DatabaseUrl(given)
        assert url == DatabaseUrl(URL_TEXT)
        assert hash(url) == hash(DatabaseUrl(URL_TEXT))
        assert isinstance(url.reveal(), URL)
        assert repr(url) == "DatabaseUrl('postgresql://me:***@db/shop')"
        assert str(DatabaseSettings(url=given).url) == "postgresql://me:***@db/shop"

    def test_the_name_that_some_hosters_still_use(self):
        assert DatabaseUrl(URL_TEXT.replace("postgresql", "postgres")) == DatabaseUrl(URL_TEXT)

    @pytest.mark.parametrize("given", ["", "  ", 3, None, "nonsense", "postgresql"])
    def test_what_is_none(self, given):
        with pytest.raises(ValueError, match="URL"):
            DatabaseUrl(given)

    @pytest.mark.parametrize(
        ("text", "holds"),
        [
            (URL_TEXT, True),
            ("postgresql://me@db/shop", False),
            ("postgresql://db/shop?password=x", True),
            ("postgresql://db/shop?sslpassword=x", True),
            ("sqlite:///shop.db", False),
        ],
    )
    def test_whether_it_holds_a_secret(self, text, holds):
        assert DatabaseUrl(text).holds_secret is holds

    def test_what_looks_like_a_password_in_the_query_is_hidden(self):
        shown = DatabaseUrl(f"postgresql://db/shop?sslpassword={SECRET}&sslmode=require").shown
        assert SECRET not in shown
        assert "sslmode=require" in shown
