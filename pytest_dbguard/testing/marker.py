"""The marker `@pytest.mark.dbguard(...)`: what it may say, checked when tests are collected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from pytest_dbguard.core.errors import ConfigError, did_you_mean
from pytest_dbguard.rules.registry import codes_matching

_KEYWORDS = ("ignore", "max_queries", "off", "reason")


@dataclass(frozen=True, slots=True)
class TestSettings:
    """What the markers of one test say: the closest marker wins for the budget, ignored rules add up."""

    __test__ = False

    max_queries: int | None = None
    ignore: frozenset[str] = frozenset()
    is_off: bool = False


def settings_of(item: pytest.Item) -> TestSettings:
    """Return the settings of a test.

    Raises:
        ConfigError: For an unknown keyword, rule or value, naming the test.
    """
    budget: int | None = None
    ignored: frozenset[str] = frozenset()
    is_off = False
    for marker in item.iter_markers("dbguard"):
        _check_keywords(item, marker)
        values = marker.kwargs
        budget = values.get("max_queries") if budget is None else budget
        is_off = is_off or bool(values.get("off", False))
        ignored |= _codes(item, values.get("ignore"))
    return TestSettings(budget, ignored, is_off)


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
    budget = marker.kwargs.get("max_queries")
    if budget is not None and (not isinstance(budget, int) or isinstance(budget, bool) or budget < 0):
        raise ConfigError(f"{item.nodeid}: marker dbguard: max_queries must be a number of statements, not {budget!r}")


def _codes(item: pytest.Item, value: Any) -> frozenset[str]:
    if value is None:
        return frozenset()
    words = [value] if isinstance(value, str) else list(value)
    try:
        return codes_matching(words)
    except ConfigError as error:
        raise ConfigError(f"{item.nodeid}: marker dbguard: {error.message}", hint=error.hint) from None
