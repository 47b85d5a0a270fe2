"""A small manager for health checks to ask of, with a clock to move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

from pytest_dbguard.runtime.events import Events
from pytest_dbguard.runtime.pools.stats import PoolFigures


class HandClock:
    """Stands still until it is moved."""

    def __init__(self):
        self.now_s = 1000.0

    def monotonic(self):
        return self.now_s

    def wall(self):
        return self.now_s + 1e9

    def sleep(self, seconds):
        self.now_s += seconds


class NotedReplicas:
    """Notes what is reported."""

    def __init__(self):
        self.reports = []

    def report_success(self, target):
        self.reports.append((target, True))

    def report_failure(self, target, reason=""):
        self.reports.append((target, False))

    def states(self):
        return ()


@dataclass
class SmallManager:
    """What the health checks use of a manager; its engines exist already, some for threads and some for tasks."""

    urls: Mapping[str, Any]
    is_async: bool = False
    health_s: float = 30.0
    state: str = "started"
    events: Events = field(default_factory=Events)
    clock: HandClock = field(default_factory=HandClock)
    replicas: NotedReplicas = field(default_factory=NotedReplicas)
    figures: dict[str, PoolFigures] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        targets = tuple(SimpleNamespace(role=name.partition("-")[0], name=name) for name in self.urls)
        self.settings = SimpleNamespace(
            targets=lambda: targets,
            timeouts=SimpleNamespace(health_s=self.health_s),
            monitoring=SimpleNamespace(unhealthy_after=3, healthy_after=2, health_interval_s=10.0),
            routing=SimpleNamespace(max_lag_s=5.0),
        )

    def engine(self, role="primary", *, target=None) -> Engine:
        return self.made.setdefault(target, create_engine(self.urls[target], poolclass=QueuePool))

    def async_engine(self, role="primary", *, target=None):
        return self.made.setdefault(target, create_async_engine(self.urls[target], poolclass=AsyncAdaptedQueuePool))

    def engines(self):
        if self.is_async:
            for target in self.settings.targets():
                self.async_engine(target=target.name)
        return tuple(
            SimpleNamespace(
                target=SimpleNamespace(role=name.partition("-")[0], name=name),
                engine=getattr(engine, "sync_engine", engine),
                async_engine=engine if hasattr(engine, "sync_engine") else None,
                is_async=hasattr(engine, "sync_engine"),
                stats=SimpleNamespace(
                    snapshot=lambda name=name: self.figures.get(name, PoolFigures(size=5, overflow=5))
                ),
            )
            for name, engine in self.made.items()
        )


@pytest.fixture
def small():
    """Return a function that makes a small manager and its checker; checks in the background end with the test."""
    from pytest_dbguard.runtime.health import HealthChecker

    made = []

    def make(urls, **options):
        made.append(HealthChecker(SmallManager(urls, **options)))
        return made[-1]._manager, made[-1]

    yield make
    for checker in made:
        checker.stop(0.0)
