"""Scopes: the stretches that rules judge as one unit, filled by the recorder and closed into recordings."""

from __future__ import annotations

from typing import Any

from pytest_dbguard.core.findings import Site
from pytest_dbguard.recording.model import Recording

MAX_KEPT = 10_000
"""Statements kept in full in one scope; beyond them only counts by shape and stack are kept."""


class Scope:
    """An open recording. Filled from the listeners, possibly by several threads: only appends and additions."""

    __slots__ = (
        "count",
        "elapsed_ns",
        "ignores",
        "is_paused",
        "kept",
        "lazy",
        "max_queries",
        "name",
        "nested",
        "overflow",
        "scope",
        "test_site",
    )

    def __init__(self, name: str, scope: str, max_queries: int | None = None, test_site: Site | None = None) -> None:
        self.name = name
        self.scope = scope
        self.max_queries = max_queries
        self.test_site = test_site
        self.nested: list[Scope] = []
        self.ignores: list[tuple[frozenset[str], int, int]] = []
        self.kept: list[tuple[Any, ...]] = []
        self.overflow: dict[tuple[str, Any], int] = {}
        self.lazy: dict[Any, int] = {}
        self.count = 0
        self.elapsed_ns = 0
        self.is_paused = False

    @property
    def is_full(self) -> bool:
        """Whether further statements are counted only."""
        return self.count >= MAX_KEPT

    def add(self, raw: tuple[Any, ...], elapsed_ns: int) -> None:
        """Take in one statement."""
        self.count += 1
        self.elapsed_ns += elapsed_ns
        if self.count <= MAX_KEPT:
            self.kept.append(raw)
        else:
            key = (raw[0].shape.id, raw[1].key)
            self.overflow[key] = self.overflow.get(key, 0) + 1

    def recording(self) -> Recording:
        """Return what was recorded so far."""
        return Recording(
            self.name,
            self.scope,
            tuple(self.kept),
            self.count,
            self.elapsed_ns / 1e6,
            dict(self.overflow),
            self.max_queries,
            self.test_site,
            sum(scope.count for scope in self.all_scopes()[1:]),
            tuple(self.ignores),
        )

    def recordings(self) -> tuple[Recording, ...]:
        """Return the recording of this scope, then those of the scopes nested in it, at any depth."""
        return tuple(scope.recording() for scope in self.all_scopes())

    def all_scopes(self) -> tuple[Scope, ...]:
        """Return this scope and those nested in it, at any depth."""
        return (self, *(inner for scope in self.nested for inner in scope.all_scopes()))
