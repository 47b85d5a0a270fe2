"""Waiting in tests: for a condition, under a watchdog."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

WATCHDOG_S = 60.0
"""After so long a test that waits has failed; no outcome depends on how long anything takes."""


def eventually(condition: Callable[[], Any], what: str = "what is waited for") -> Any:
    """Ask until the answer is true and return it; fail when the watchdog ends."""
    deadline = time.monotonic() + WATCHDOG_S
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {WATCHDOG_S:.0f} s"
        time.sleep(0.002)
    return answer
