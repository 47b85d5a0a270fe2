"""Tells the process that started the run what happens in it, one JSON object a line, through an open descriptor."""

from __future__ import annotations

import json
import os
import warnings

import pytest


class Events:
    """What happens in the process that has the descriptor; workers of pytest-xdist have it not."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor

    def tell(self, **event: object) -> None:
        os.write(self._descriptor, json.dumps(event).encode() + b"\n")

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        self.tell(
            test=report.nodeid, when=report.when, outcome=report.outcome, text=report.longreprtext, facts=properties
        )

    @pytest.hookimpl
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, nodeid: str) -> None:
        self.tell(warning=str(warning_message.message), category=warning_message.category.__name__, test=nodeid)

    @pytest.hookimpl
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self.tell(exit=int(exitstatus))


def pytest_configure(config: pytest.Config) -> None:
    """Tell it where there is somebody to tell."""
    descriptor = os.environ.get("TORTURE_EVENTS")
    if descriptor is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Events(int(descriptor)))
