"""Figure 3: throughput and the 99th percentile at 32 threads and at 200 tasks."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from runtime_engines import Opened, close_async, dbguard, pre_ping
from sqlalchemy import text

THREADS = 32
TASKS = 200
SIZE = 20
ROWS = 1000
QUERY = text("SELECT id, note FROM load_notes WHERE id = :id")

WAYS: dict[str, Callable[..., Opened]] = {"plain with pool_pre_ping": pre_ping, "manager": dbguard}


@dataclass
class Figures:
    """What the rounds of one way gave."""

    per_second: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    def take(self, elapsed_s: float, latencies_s: list[float]) -> None:
        cuts = quantiles(latencies_s, n=100)
        self.per_second.append(len(latencies_s) / elapsed_s)
        self.p50_ms.append(1000 * cuts[49])
        self.p99_ms.append(1000 * cuts[98])


def print_load(server: Any, *, quick: bool) -> None:
    """Measure and print."""
    rounds, requests = (3, 4000) if quick else (11, 12000)
    server.execute("CREATE TABLE load_notes (id int PRIMARY KEY, note text)")
    server.execute(f"INSERT INTO load_notes SELECT i, 'note ' || i FROM generate_series(1, {ROWS}) i")
    print(f"Figure 3: {rounds} rounds of {requests} requests on pools of {SIZE}: a checkout, a SELECT by key,")
    print("a checkin; medians over the rounds, and the median of each round's ratio\n")
    print(f"| {'':27} | {'requests/s':>10} | {'ratio':>5} | {'p50 ms':>7} | {'p99 ms':>7} | {'ratio':>5} |")
    print(f"|{'-' * 29}|{'-' * 11}:|{'-' * 6}:|{'-' * 8}:|{'-' * 8}:|{'-' * 6}:|")
    print_group(f"{THREADS} threads", measure_threads(server, rounds, requests))
    print_group(f"{TASKS} tasks", asyncio.run(measure_tasks(server, rounds, requests)))


def print_group(title: str, ways: dict[str, Figures]) -> None:
    """Print one line for each way, the first being the base."""
    print(f"| {f'*{title}*':27} | {'':10} | {'':5} | {'':7} | {'':7} | {'':5} |")
    base = next(iter(ways.values()))
    for name, own in ways.items():
        more = median(mine / theirs for mine, theirs in zip(own.per_second, base.per_second, strict=True))
        slower = median(mine / theirs for mine, theirs in zip(own.p99_ms, base.p99_ms, strict=True))
        figures = (
            f"{median(own.per_second):10.0f} | {more:5.2f} | {median(own.p50_ms):7.2f} | {median(own.p99_ms):7.2f}"
        )
        print(f"| {name:27} | {figures} | {slower:5.2f} |")


def _keys(count: int, seed: int) -> Iterator[int]:
    chosen = random.Random(seed)
    return (chosen.randint(1, ROWS) for _ in range(count))


def measure_threads(server: Any, rounds: int, requests: int) -> dict[str, Figures]:
    """Have threads share an engine, one way after the other."""
    opened = {name: way(server.url, size=SIZE) for name, way in WAYS.items()}
    found = {name: Figures() for name in opened}
    for turn in range(rounds + 1):
        for name in random.sample(list(opened), len(opened)):
            measured = one_round_of_threads(opened[name].engine, requests)
            if turn:  # the first opens the connections
                found[name].take(*measured)
    for each in opened.values():
        each.close()
    return found


def one_round_of_threads(engine: Any, requests: int) -> tuple[float, list[float]]:
    """Return seconds for all and for each."""
    each = requests // THREADS
    taken: list[list[float]] = [[] for _ in range(THREADS)]
    start = threading.Barrier(THREADS + 1)

    def work(number: int) -> None:
        own = taken[number]
        start.wait()
        for key in _keys(each, number):
            began = time.perf_counter()
            with engine.connect() as connection:
                connection.execute(QUERY, {"id": key}).one()
            own.append(time.perf_counter() - began)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, [one for own in taken for one in own]


async def measure_tasks(server: Any, rounds: int, requests: int) -> dict[str, Figures]:
    """Have tasks share an asynchronous engine, one way after the other."""
    opened = {name: way(server.url, size=SIZE) for name, way in WAYS.items()}
    found = {name: Figures() for name in opened}
    for turn in range(rounds + 1):
        for name in random.sample(list(opened), len(opened)):
            measured = await one_round_of_tasks(opened[name].async_engine, requests // 3)
            if turn:
                found[name].take(*measured)
    for each in opened.values():
        await close_async(each)
    return found


async def one_round_of_tasks(engine: Any, requests: int) -> tuple[float, list[float]]:
    """Return seconds for all and for each."""
    taken: list[float] = []

    async def work(number: int) -> None:
        for key in _keys(requests // TASKS, number):
            began = time.perf_counter()
            async with engine.connect() as connection:
                (await connection.execute(QUERY, {"id": key})).one()
            taken.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(work(number) for number in range(TASKS)))
    return time.perf_counter() - began, taken
