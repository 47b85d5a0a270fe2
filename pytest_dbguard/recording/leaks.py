"""Heals SQLAlchemy issue 13301, where listening to `do_orm_execute` lets options of a select leak into its eager loads.

Affected are 2.0.20 to 2.0.49 and 2.1.0b1 to b2: with any listener, `yield_per` and `autoflush` of the outer select
reach the statements of `selectinload`, which then fail or fetch in other batches than without the listener.
"""

from __future__ import annotations

import inspect
from typing import Any

from sqlalchemy.orm import ORMExecuteState, Session

_LEAKED = ("yield_per", "autoflush")


def has_leak() -> bool:
    """Return whether this SQLAlchemy hands processed options on after listeners have run."""
    try:
        return "original_execution_options" not in inspect.getsource(Session._execute_internal)
    except OSError:
        # no sources installed: healing a version that has no leak changes nothing
        return True


def without_leak(state: ORMExecuteState) -> None:
    """Take the outer select's options out of an eager load's statement, as SQLAlchemy does without listeners."""
    options: Any = state.local_execution_options
    if any(name in options for name in _LEAKED):
        state.local_execution_options = type(options)(
            {name: value for name, value in options.items() if name not in _LEAKED}
        )
