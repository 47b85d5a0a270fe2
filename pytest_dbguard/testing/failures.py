"""Turns errors of ours into what pytest shows without a traceback; imports nothing but pytest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pytest_dbguard.core.errors import DbguardError


@contextmanager
def without_traceback() -> Iterator[None]:
    """Turn our errors into a failure of the fixture that shows the message only."""
    try:
        yield
    except DbguardError as error:
        raise pytest.fail.Exception(f"dbguard: {error}", pytrace=False) from None
    except pytest.UsageError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@contextmanager
def as_usage_error() -> Iterator[None]:
    """Turn our errors into pytest's usage error, which ends the run with exit status 4."""
    try:
        yield
    except DbguardError as error:
        raise pytest.UsageError(f"dbguard: {error}") from None
