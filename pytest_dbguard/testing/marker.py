"""The marker `@pytest.mark.dbguard(...)`: what it may say, checked when tests are collected."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_dbguard.analysis.ignore_words import read_words
from pytest_dbguard.baseline.names import without_parameters
from pytest_dbguard.core.errors import ConfigError, did_you_mean
from pytest_dbguard.core.findings import Site
from pytest_dbguard.core.ignores import Ignore, IgnoreKind
from pytest_dbguard.testing.reset_marker import RESET_KEYWORDS, reset_settings_of

_KEYWORDS = ("cold", "ignore", "max_queries", "off", "query_tolerance", "reason", *RESET_KEYWORDS)
_NUMBERS = ("max_queries", "query_tolerance")


@dataclass(frozen=True, slots=True)
class TestSettings:
    """What the markers of one test say: the closest marker wins for numbers, ignored rules add up."""

    __test__ = False

    max_queries: int | None = None
    ignore: tuple[Ignore, ...] = ()
    is_off: bool = False
    query_tolerance: int | None = None
    cold: bool | None = None


def settings_of(item: pytest.Item) -> TestSettings:
    """Return the settings of a test.

    Raises:
        ConfigError: For an unknown keyword, rule or value, naming the test.
    """
    numbers: dict[str, int] = {}
    ignored: tuple[Ignore, ...] = ()
    is_off = False
    cold: bool | None = None
    for node, marker in item.iter_markers_with_node("dbguard"):
        _check_keywords(item, marker)
        values = marker.kwargs
        numbers = {name: values[name] for name in _NUMBERS if values.get(name) is not None} | numbers
        cold = values.get("cold") if cold is None else cold
        is_off = is_off or bool(values.get("off", False))
        ignored += _ignores(item, node, values.get("ignore"))
    reset_settings_of(item)
    return TestSettings(numbers.get("max_queries"), ignored, is_off, numbers.get("query_tolerance"), cold)


def _check_keywords(item: pytest.Item, marker: pytest.Mark) -> None:
    if marker.args:
        raise ConfigError(
            f"{item.nodeid}: marker dbguard takes keywords only, not {marker.args[0]!r}",
            hint=f"known: {', '.join(_KEYWORDS)}",
        )
    for word in marker.kwargs:
        if word not in _KEYWORDS:
            raise ConfigError(
                f"{item.nodeid}: marker dbguard has no keyword {word!r}", hint=did_you_mean(word, _KEYWORDS)
            )
    for name in _NUMBERS:
        value = marker.kwargs.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise ConfigError(f"{item.nodeid}: marker dbguard: {name} must be a number of statements, not {value!r}")


def _ignores(item: pytest.Item, node: Any, value: Any) -> tuple[Ignore, ...]:
    """Return what the marker of a test, or of its class or module, says not to report."""
    if value is None:
        return ()
    words = [value] if isinstance(value, str) else list(value)
    try:
        understood = read_words(words)
    except ConfigError as error:
        raise ConfigError(f"{item.nodeid}: marker dbguard: {error.message}", hint=error.hint) from None
    place, owner = _place(node), without_parameters(node.nodeid)
    return tuple(Ignore(IgnoreKind.MARKER, word, place, owner) for word in understood)


def _place(node: Any) -> Site:
    """Return where a test or class begins, its decorators included; the first line of a module."""
    file = node.nodeid.partition("::")[0]
    marked = getattr(node, "obj", None)
    if inspect.isclass(marked):
        return Site(file, _first_line(marked), function=marked.__qualname__, in_test_code=True)
    code = getattr(inspect.unwrap(marked), "__code__", None) if callable(marked) else None
    if code is None:
        return Site(file, 1, in_test_code=True)
    return Site(file, code.co_firstlineno, function=code.co_qualname, in_test_code=True)


def _first_line(marked: type) -> int:
    try:
        return inspect.getsourcelines(marked)[1]
    except (OSError, TypeError):
        # a class that was made rather than written has no line of its own
        return 1
