"""Pytest plugin for CI (`-p tests.no_skips`): turns a skipped or expected failure into a failure."""

from __future__ import annotations

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Fail a test that was skipped, or that was expected to fail."""
    report = yield
    return refuse(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Fail a module that skips itself while it is collected."""
    report = yield
    return refuse(report)


def refuse(report):
    """Return the report, failed if its test did not run to a plain end."""
    if report.outcome == "skipped" or hasattr(report, "wasxfail"):
        reason = getattr(report, "wasxfail", None) or report.longrepr
        if isinstance(reason, tuple):
            reason = reason[2]
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped or expected to fail here: {reason}"
        vars(report).pop("wasxfail", None)
    return report
