"""Read the settings that were given as flags on pytest's command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_dbguard.config.layer import Layer, single_setting, stacked
from pytest_dbguard.config.model import Config
from pytest_dbguard.config.problems import unknown_key
from pytest_dbguard.config.table import key_name
from pytest_dbguard.config.text import split, value_of


def flag_name(field: str) -> str:
    """Return the flag of a setting: max_queries is --dbguard-max-queries."""
    return f"--dbguard-{key_name(field)}"


def read_flags(flags: Mapping[str, Any]) -> Layer:
    """Return what the flags say, with all that is wrong with them; None and empty lists say nothing."""
    return stacked(*(_read_flag(field, value) for field, value in flags.items() if value not in (None, [], ())))


def _read_flag(field: str, value: Any) -> Layer:
    place = f"flag {flag_name(field)}"
    if field not in Config.model_fields:
        return Layer(problems=(unknown_key(place, "", field, map(key_name, Config.model_fields)),))
    return single_setting(field, _value(field, value), place)


def _value(field: str, given: Any) -> object:
    match given:
        # A report's destination may hold a comma: for several reports the flag is repeated.
        case str() if field == "report":
            return (given,)
        case str():
            return value_of(field, given)
        case list() | tuple() if field != "report":
            return tuple(part for item in given for part in (split(item) if isinstance(item, str) else (item,)))
        case _:
            return given
