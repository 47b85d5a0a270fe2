"""The recorder that listens in this context, so that `record()` inside of a recorded test joins it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from pytest_dbguard.recording.recorder import Recorder
from pytest_dbguard.recording.scopes import Scope

CURRENT: ContextVar[Recorder | None] = ContextVar("dbguard_recorder", default=None)


@contextmanager
def serving(recorder: Recorder, scope: Scope) -> Iterator[Scope]:
    """Serve a web request: its scope is the context's, its recorder the one that listens. May be entered again."""
    token = CURRENT.set(recorder)
    try:
        with recorder.serving(scope):
            yield scope
    finally:
        with suppress(ValueError):
            CURRENT.reset(token)
