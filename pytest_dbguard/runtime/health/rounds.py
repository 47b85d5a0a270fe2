"""Asks all servers at once, under one deadline for them together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import wait

from pytest_dbguard.runtime.health.answers import NO_ANSWER, Answer
from pytest_dbguard.runtime.health.probes import Prober


def ask_all(probers: Mapping[str, Prober], deadline_s: float) -> dict[str, Answer]:
    """Return what each server says; of those that say nothing within the deadline, that they do not."""
    joined = [(name, prober, prober.join()) for name, prober in probers.items()]
    try:
        wait([probe.answer for _, _, probe in joined], timeout=deadline_s)
        return {name: probe.answer.result() if probe.answer.done() else NO_ANSWER for name, _, probe in joined}
    finally:
        for _, prober, probe in joined:
            prober.leave(probe)


async def ask_all_async(probers: Mapping[str, Prober], deadline_s: float) -> dict[str, Answer]:
    """Do what `ask_all` does while other tasks run. May be cancelled at any time: no server is waited for then."""
    joined = [(name, prober, prober.join()) for name, prober in probers.items()]
    awaited = [asyncio.wrap_future(probe.answer) for _, _, probe in joined]
    try:
        await asyncio.wait(awaited, timeout=deadline_s)
        return {name: probe.answer.result() if probe.answer.done() else NO_ANSWER for name, _, probe in joined}
    finally:
        for future in awaited:
            # an answer that comes when this loop has ended must not look for it
            future.cancel()
        for _, prober, probe in joined:
            prober.leave(probe)
