"""The recorder that listens in this context, so that `record()` inside of a recorded test joins it."""

from __future__ import annotations

from contextvars import ContextVar

from pytest_dbguard.recording.recorder import Recorder

CURRENT: ContextVar[Recorder | None] = ContextVar("dbguard_recorder", default=None)
