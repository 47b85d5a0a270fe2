"""The settings of the runtime as `dbguard config --runtime` shows them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dbguard.config.model import canonical
from pytest_dbguard.config.problems import Problem
from pytest_dbguard.config.table import key_name
from pytest_dbguard.core.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from pytest_dbguard.cli.config import Row
    from pytest_dbguard.runtime.settings import DatabaseSettings

_FLAG = "flag --profile"


def examined(root: Path, file: Path | None, profile: str | None) -> tuple[list[Row], tuple[Problem, ...]]:
    """Return all settings as far as they are right, and what is wrong with them.

    So that production's can be looked at where its passwords are not.

    Raises:
        ConfigError: When what the runtime needs is not installed.
    """
    if find_spec("pydantic_settings") is None:
        hint = "run: pip install 'pytest-dbguard[runtime]'"
        raise ConfigError("the runtime needs pydantic-settings, not installed here", hint=hint)
    from pytest_dbguard.runtime.settings import PROFILES, DatabaseSettings

    if profile is not None and canonical(profile) not in PROFILES:
        raise ConfigError(f"--profile: unknown profile {profile!r}", hint=did_you_mean(profile, PROFILES))
    settings, problems = DatabaseSettings.examine(root, file=file, profile=profile)
    rows = list(_rows(settings))
    return [(key, value, _FLAG if profile and key == "profile" else source) for key, value, source in rows], problems


def _rows(settings: DatabaseSettings) -> Iterator[Row]:
    """Yield each setting; of a role's pool only what it says, and of the primary's URL the short form."""
    from pytest_dbguard.runtime.settings.fields import ONLY_KEYWORDS, leaves
    from pytest_dbguard.runtime.settings.tables import PRIMARY, SHORT

    dumped = settings.model_dump(mode="json")
    for path, _ in leaves(type(settings)):
        if path == PRIMARY or path[-1] in ONLY_KEYWORDS:
            continue
        value: Any = dumped
        for name in path[:-1]:
            value = value[name]
        if path[-1] in value:
            key = ".".join(key_name(str(name)) for name in path)
            yield key, value[path[-1]], settings.source(PRIMARY if path == SHORT else path)
