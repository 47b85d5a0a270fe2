"""Check that pytest finds the plugin."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from importlib.metadata import entry_points

from pytest_dbguard.cli.checks.base import Check, State, Subject

_MODULE = "pytest_dbguard.plugin"


def check_plugin(subject: Subject) -> Iterator[Check]:
    """Yield whether the entry point is there and nothing in the environment switches it off."""
    if not any(point.value == _MODULE for point in entry_points(group="pytest11")):
        yield Check(State.PROBLEM, "pytest does not find the plugin", "pip install pytest-dbguard where pytest is")
    elif os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        yield Check(
            State.PROBLEM,
            "pytest loads no plugins by itself: PYTEST_DISABLE_PLUGIN_AUTOLOAD is set",
            f"unset it, or run: pytest -p {_MODULE} --dbguard",
        )
    elif any(word.endswith("no:dbguard") for word in shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))):
        yield Check(State.PROBLEM, "PYTEST_ADDOPTS switches the plugin off", "take -p no:dbguard out of it")
    else:
        yield Check(State.OK, "pytest finds the plugin: pytest --dbguard")
