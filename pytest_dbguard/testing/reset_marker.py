"""What the marker `@pytest.mark.dbguard(...)` says about a test's database; imports nothing but pytest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from pytest_dbguard.core.errors import ConfigError, did_you_mean

RESET_KEYWORDS = ("fresh", "reset", "reset_after")
_SCOPES = ("function", "class", "module", "package", "session")
_SETTINGS = pytest.StashKey["ResetSettings"]()


@dataclass(frozen=True, slots=True)
class ResetSettings:
    """How the database of one test is cleaned; None where the configuration says it."""

    reset: str | None = None
    is_fresh: bool = False
    after: str = "function"


def reset_settings_of(item: pytest.Item) -> ResetSettings:
    """Return what the markers of a test say; of several the closest one wins.

    Raises:
        ConfigError: For a wrong value, naming the test.
    """
    if _SETTINGS not in item.stash:
        said: dict[str, Any] = {}
        for marker in item.iter_markers("dbguard"):
            said = {name: marker.kwargs[name] for name in RESET_KEYWORDS if name in marker.kwargs} | said
        if said.get("reset") is not None:
            from pytest_dbguard.resets.registry import reset_names

            _check(item, "reset", said["reset"], reset_names())
        _check(item, "reset_after", said.get("reset_after"), _SCOPES)
        after = said.get("reset_after") or "function"
        item.stash[_SETTINGS] = ResetSettings(said.get("reset"), bool(said.get("fresh", False)), after)
    return item.stash[_SETTINGS]


def is_last_of_scope(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Tell whether the database is to be cleaned after this test, by its marker's `reset_after`."""
    after = reset_settings_of(item).after
    if after == "function" or nextitem is None:
        return True
    kinds: dict[str, type[pytest.Collector]] = {
        "class": pytest.Class,
        "module": pytest.Module,
        "package": pytest.Package,
        "session": pytest.Session,
    }
    node = item.getparent(kinds[after])
    return node is None or nextitem.getparent(kinds[after]) is not node


def _check(item: pytest.Item, name: str, value: object, known: tuple[str, ...]) -> None:
    if value is None or value in known:
        return
    hint = did_you_mean(value, known) if isinstance(value, str) else f"known: {', '.join(known)}"
    raise ConfigError(f"{item.nodeid}: marker dbguard: unknown {name} {value!r}", hint=hint)
