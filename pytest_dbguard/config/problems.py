"""Tell what is wrong with a setting: place, key, value, and the next step."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_dbguard.config.redact import redact
from pytest_dbguard.core.errors import ConfigError, did_you_mean, nearest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_LONGEST_QUOTE = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong setting: its file, variable or flag; its dotted key ("" where the place names it); what; next step."""

    place: str
    key: str
    message: str
    hint: str | None = None

    @property
    def line(self) -> str:
        """Place, key and message on one line."""
        return ": ".join(part for part in (self.place, self.key, self.message) if part)


def raise_problems(problems: Sequence[Problem]) -> None:
    """Raise one ConfigError that tells all problems; return when there are none."""
    if not problems:
        return
    if len(problems) == 1:
        raise ConfigError(problems[0].line, hint=problems[0].hint)
    lines = [f"{p.line} ({p.hint})" if p.hint else p.line for p in problems]
    raise ConfigError("\n  ".join([f"{len(problems)} problems in the configuration", *lines]))


def unknown_key(place: str, table: str, name: str, known: Iterable[str]) -> Problem:
    """Return the problem of a key in a table that nobody knows; its value is not quoted, it may be a secret."""
    return Problem(place, table, f"unknown key {name!r}", did_you_mean(name.replace("_", "-"), known))


def problem_of(error: ErrorDetails, place: str, key: str) -> Problem:
    """Return the problem that an error of pydantic describes, in the words of a user."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind in ("literal_error", "enum"):
        return _not_a_choice(place, key, value, str(context["expected"]))
    if kind == "tuple_type" and isinstance(value, str):
        return Problem(place, key, f"expected a list, not {quote(value)}", f"write [{quote(value)}]".replace("'", '"'))
    say = _EXPECTED.get(kind)
    if say is None:
        return Problem(place, key, f"{_uncapitalised(error['msg'])}, got {quote(value)}")
    return Problem(place, key, f"expected {say(context)}, not {quote(value)}")


def quote(value: object) -> str:
    """Return a value as it may be shown: like in TOML, short, without passwords; tables are only named."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            shown = repr(redact(value))
            return shown if len(shown) <= _LONGEST_QUOTE else f"{shown[:_LONGEST_QUOTE]}…'"
        case None:
            return "none"
        case int() | float():
            return str(value)
        case Mapping():
            return "a table"
        case list() | tuple():
            return "a list"
        case _:
            return redact(str(value))


def _not_a_choice(place: str, key: str, value: object, expected: str) -> Problem:
    choices = re.findall(r"'([^']+)'", expected)
    match = nearest(value.lower(), choices) if isinstance(value, str) else None
    hint = f"did you mean {match!r}?" if match else None
    return Problem(place, key, f"expected {expected}, not {quote(value)}", hint)


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]


_Context = Mapping[str, Any]
_EXPECTED: Mapping[str, Callable[[_Context], str]] = {
    "bool_type": lambda _: "true or false",
    "bool_parsing": lambda _: "true or false",
    "int_type": lambda _: "a whole number",
    "int_parsing": lambda _: "a whole number",
    "int_from_float": lambda _: "a whole number",
    "float_type": lambda _: "a number",
    "float_parsing": lambda _: "a number",
    "finite_number": lambda _: "a finite number",
    "string_type": lambda _: "text",
    "string_too_short": lambda _: "some text",
    "string_pattern_mismatch": lambda _: "a name of small letters, digits and hyphens",
    "tuple_type": lambda _: "a list",
    "list_type": lambda _: "a list",
    "set_type": lambda _: "a list",
    "frozen_set_type": lambda _: "a list",
    "dict_type": lambda _: "a table",
    "model_type": lambda _: "a table",
    "greater_than": lambda context: f"more than {context['gt']:g}",
    "greater_than_equal": lambda context: f"{context['ge']:g} or more",
    "less_than": lambda context: f"less than {context['lt']:g}",
    "less_than_equal": lambda context: f"{context['le']:g} or less",
}
