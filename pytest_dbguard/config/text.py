"""Turn the text of environment variables and flags into values of settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from pytest_dbguard.config.model import Config

_SWITCHES: Mapping[str, bool] = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


def value_of(field: str, text: str) -> object:
    """Return the value that the text stands for; the text itself where it stands for none.

    What comes back is not checked: text that is no number is refused by `Config` like any other wrong value.
    """
    annotation = Config.model_fields[field].annotation
    kinds = get_args(annotation) or (annotation,)
    if type(None) in kinds and text.strip().lower() == "none":
        return None
    for kind, parse in _PARSERS.items():
        if kind in kinds:
            return parse(text)
    return split(text) if Ellipsis in kinds else text


def split(text: str) -> tuple[str, ...]:
    """Return the parts of a list written with commas, without blanks and empty parts."""
    return tuple(part for raw in text.split(",") if (part := raw.strip()))


def _switch(text: str) -> object:
    return _SWITCHES.get(text.strip().lower(), text)


def _number(kind: Callable[[str], object]) -> Callable[[str], object]:
    def parse(text: str) -> object:
        try:
            return kind(text)
        except ValueError:
            return text

    return parse


_PARSERS: Mapping[Any, Callable[[str], object]] = {bool: _switch, int: _number(int), float: _number(float)}
