"""Check that the file of accepted findings can be read."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_dbguard.baseline.file import read_baseline
from pytest_dbguard.cli.checks.base import Check, State, Subject, problem
from pytest_dbguard.core.errors import DbguardError


def check_baseline(subject: Subject) -> Iterator[Check]:
    """Yield how many findings the baseline accepts."""
    config = subject.config_or_defaults()
    path = config.baseline_path(subject.root)
    if path is None:
        yield Check(State.OK, "baseline: none is used, every finding is new")
    elif not path.exists():
        what = f"baseline: {config.baseline} is not there, every finding is new"
        yield Check(State.OK, what, "to accept what there is: pytest --dbguard --dbguard-update-baseline")
    else:
        try:
            accepted = read_baseline(path)
        except DbguardError as error:
            yield problem("baseline", error)
        else:
            findings, tests = len(accepted.entries), len(accepted.counts.tests)
            yield Check(State.OK, f"baseline: {config.baseline} accepts {findings}" + _counts(tests))


def _counts(tests: int) -> str:
    return f", counts of {tests} test{'s' if tests > 1 else ''}" if tests else ""
