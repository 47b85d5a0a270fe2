"""Figure 2: time from a fault to the first good request, and how many requests failed before it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from runtime_fault_cases import CASES, WAYS, Case
from runtime_fault_scene import Scene, user_of

PAUSE_S = 0.01


@dataclass(frozen=True)
class Recovery:
    """What one user met with."""

    failed: int
    elapsed_s: float | None
    """Seconds until a request was good; None when none was within the limit."""


def print_faults(server: Any, *, quick: bool) -> None:
    """Measure and print."""
    rounds, limit_s = (1, 5.0) if quick else (5, 10.0)
    print(f"Figure 2: time until the first good request, {rounds} rounds, a user who tries again")
    print(f"{1000 * PAUSE_S:.0f} ms after each failure and gives up after {limit_s:.0f} s; [requests that failed]\n")
    print(f"| {'':42} | {'plain, pre-ping':>14} | {'manager':>14} |")
    print(f"|{'-' * 44}|{'-' * 15}:|{'-' * 15}:|")
    with Scene(server) as scene:
        for case in CASES:
            cells = [cell(measure_rounds(case, way, scene, rounds, limit_s), limit_s) for way in WAYS]
            print(f"| {case.title:42} | {cells[0]:>14} | {cells[1]:>14} |", flush=True)


def cell(recoveries: list[Recovery], limit_s: float) -> str:
    """Return one cell: "12 ms [1]", or "> 10 s [3]" when any round ended without a good request."""
    times = [each.elapsed_s for each in recoveries if each.elapsed_s is not None]
    if len(times) < len(recoveries):
        return f"> {limit_s:.0f} s [{recoveries[-1].failed}]"
    failed = median(each.failed for each in recoveries)
    return f"{1000 * median(times):.1f} ms [{failed:.0f}]"


def measure_rounds(case: Case, way: str, scene: Scene, rounds: int, limit_s: float) -> list[Recovery]:
    """Measure until all rounds are done, or one has reached the limit: that takes long and tells all."""
    found: list[Recovery] = []
    while len(found) < rounds and all(each.elapsed_s is not None for each in found):
        found.append(measure(case, way, scene, limit_s))
    return found


def measure(case: Case, way: str, scene: Scene, limit_s: float) -> Recovery:
    """Make the fault while nobody asks, then ask until the answer is good."""
    user = user_of(way, scene, case.request, size=case.size, guarded=case.guarded, replica=case.replica)
    user.warm_up()
    time.sleep(case.idle_s)
    case.fault(user)
    try:
        return until_good(user.ask, limit_s)
    finally:
        case.end(user)
        threading.Thread(target=user.close, daemon=True).start()  # what hangs must not hold up the others
        scene.mend()


def until_good(ask: Callable[[], object], limit_s: float) -> Recovery:
    """Ask in a thread that is left behind when it hangs."""
    done = threading.Event()
    failed = 0

    def work() -> None:
        nonlocal failed
        while not done.is_set():
            try:
                ask()
            except Exception:
                failed += 1
                done.wait(PAUSE_S)
            else:
                done.set()

    began = time.perf_counter()
    threading.Thread(target=work, daemon=True).start()
    is_good = done.wait(limit_s)
    elapsed = time.perf_counter() - began
    done.set()
    return Recovery(failed, elapsed if is_good else None)
