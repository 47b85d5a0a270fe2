"""Read the settings that stand in environment variables `DBGUARD_*`."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from pytest_dbguard.config.flags import flag_name
from pytest_dbguard.config.layer import Layer, single_setting, stacked
from pytest_dbguard.config.model import ONLY_AS_FLAG, Config
from pytest_dbguard.config.problems import Problem
from pytest_dbguard.config.text import value_of

PREFIX = "DBGUARD_"

_ONLY_IN_FILES = frozenset({"engines", "envs", "per_path_ignores", "rules"})
# Other parts and other people's scripts have variables with our prefix: only what looks like a slip of the pen for one
# of ours is refused. At 0.8, MAX_QUERY is a slip for MAX_QUERIES, and TEST_DATABASE is none for DATABASE.
_SLIP_RATIO = 0.8


def variable_name(field: str) -> str:
    """Return the environment variable of a setting: max_queries is DBGUARD_MAX_QUERIES."""
    return f"{PREFIX}{field.upper()}"


def read_environment(environ: Mapping[str, str]) -> Layer:
    """Return what the variables say, with all that is wrong with them; an empty variable says nothing."""
    names = sorted(name for name in environ if name.startswith(PREFIX) and environ[name].strip())
    return stacked(*(_read_variable(name, environ[name]) for name in names))


def _read_variable(variable: str, text: str) -> Layer:
    field, place = variable.removeprefix(PREFIX).lower(), f"environment variable {variable}"
    if field in _ONLY_IN_FILES:
        return Layer(problems=(Problem(place, "", "only a file can say so", "use tables in pyproject.toml"),))
    if field in ONLY_AS_FLAG:
        return Layer(problems=(Problem(place, "", "only a flag can say so", f"use {flag_name(field)}"),))
    if field in Config.model_fields:
        return single_setting(field, value_of(field, text), place)
    slip = _slip_for(field)
    hint = f"did you mean {variable_name(slip)}?" if slip else None
    return Layer(problems=(Problem(place, "", "unknown setting", hint),)) if slip else Layer()


def _slip_for(field: str) -> str | None:
    known = Config.model_fields.keys() - _ONLY_IN_FILES - ONLY_AS_FLAG
    return next(iter(get_close_matches(field, sorted(known), n=1, cutoff=_SLIP_RATIO)), None)
