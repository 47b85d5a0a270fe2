"""Whatever stands in the sources: settings come out, or an error that tells what is wrong and no password."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.runtime.settings import DatabaseSettings
from pytest_dbguard.runtime.settings.fields import leaves
from pytest_dbguard.runtime.settings.profiles import PROFILES
from pytest_dbguard.runtime.settings.tables import TableReader
from pytest_dbguard.runtime.settings.variable_names import known_variables

SECRET = "hunter2"
NAMES = sorted({str(part) for path, _ in leaves(DatabaseSettings) for part in path})
URLS = [
    f"postgresql://me:{SECRET}@db/shop",
    f"postgresql+asyncpg://me:{SECRET}@one,two:5433/shop?ssl=disable",
    f"postgresql://db/shop?password={SECRET}&sslmode=prefer",
    f"postgresql://me:{SECRET}@[::1]:5432/shop",
    f"//me:{SECRET}@db",
    "sqlite://",
    "sqlite:///shop.db",
]
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 99), st.floats(), st.text(max_size=8), st.sampled_from(URLS)
)
tables = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


def nested(path, value):
    for name in reversed(path):
        value = {name: value}
    return value


# most keys make sense only where they stand: one setting at a time, and whatever comes
one_setting = st.builds(nested, st.sampled_from([path for path, _ in leaves(DatabaseSettings)]), tables)
keywords = one_setting | st.dictionaries(st.sampled_from(NAMES), tables, max_size=5)
texts = st.one_of(
    st.sampled_from(URLS),
    st.sampled_from(["true", "7", "0.5", "none", "", "require", "production", "/dev/null", "/"]),
    tables.map(lambda table: json.dumps(table, default=str)),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8),
)
variables = st.dictionaries(st.sampled_from([*known_variables(DatabaseSettings), "DBGUARD_ENV"]), texts, max_size=6)
thorough = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def looked_at(make):
    """Return the settings, or None where an error tells that there are none; no password is told either way."""
    try:
        made = make()
    except ConfigError as error:
        assert SECRET not in f"{error} {error!r} {error.message} {error.hint}"
        assert error.message
        return None
    assert SECRET not in f"{made!r} {made.model_dump()} {made.model_dump_json()} {made.targets()}"
    return made


@thorough
@given(keywords=keywords, profile=st.sampled_from(PROFILES))
def test_of_keywords(keywords, profile):
    made = looked_at(lambda: DatabaseSettings(**{"profile": profile, **keywords}))
    if made is not None:
        assert DatabaseSettings(**{"profile": profile, **keywords}) == made


@thorough
@given(environ=variables)
def test_of_variables(tmp_path, environ):
    looked_at(lambda: DatabaseSettings.load(tmp_path, environ=environ))


@thorough
@given(table=keywords)
def test_of_a_file(table):
    layer = TableReader(DatabaseSettings, "pyproject.toml", is_file=True).read(table, "tool.dbguard.runtime")
    assert all(SECRET not in problem.line for problem in layer.problems)


@thorough
@given(table=keywords, environ=variables, profile=st.sampled_from(PROFILES))
def test_of_all_at_once(tmp_path, table, environ, profile):
    made = looked_at(lambda: DatabaseSettings.load(tmp_path, environ=environ, **{**table, "profile": profile}))
    if made is not None:
        assert made.profile == profile
        assert [target.url.reveal() for target in made.targets()] == [
            target.url.reveal() for target in made.model_copy().targets()
        ]


@pytest.mark.parametrize("profile", PROFILES)
def test_said_again_they_are_the_same(profile):
    made = DatabaseSettings(profile=profile, url="postgresql://me@db/shop")
    said = {name: getattr(made, name) for name in type(made).model_fields if name != "url"}
    assert DatabaseSettings(**said) == made
