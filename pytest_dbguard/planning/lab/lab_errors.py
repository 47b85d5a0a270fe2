"""Turns what goes wrong in a lab into errors of ours, which show nothing that a statement or a path holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.planning.lab.base import LabError


@contextmanager
def errors_told() -> Iterator[None]:
    """Turn the server's errors into ours, without what they quote."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise LabError(f"the server of the lab refuses: {type(error).__name__}") from error
    except DatabaseError as error:
        raise LabError(error.message) from error
    except OSError as error:
        raise LabError(f"a file of the lab cannot be written: {error.strerror or type(error).__name__}") from error
