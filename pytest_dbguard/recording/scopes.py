"""Scopes: the stretches that rules judge as one unit, filled by the recorder and closed into recordings."""

from __future__ import annotations

from typing import Any
from weakref import ref

from sqlalchemy.orm import Session

from pytest_dbguard.core.findings import Site
from pytest_dbguard.core.ignores import IgnoredRange
from pytest_dbguard.recording.calls import OriginOption
from pytest_dbguard.recording.frames import Stack
from pytest_dbguard.recording.model import Commit, OpenTransaction, Recording

MAX_KEPT = 10_000
"""Statements kept in full in one scope; beyond them only counts by shape and stack are kept."""
_MAX_EAGER = 2_000
_MAX_CHECKOUTS = 64


class Scope:
    """An open recording. Filled from the listeners, possibly by several threads: only appends and additions."""

    __slots__ = (
        "_checkouts",
        "commits",
        "count",
        "eager",
        "elapsed_ns",
        "ignores",
        "is_paused",
        "kept",
        "lazy",
        "max_queries",
        "name",
        "nested",
        "overflow",
        "reads_elsewhere",
        "scope",
        "sessions_before",
        "test_site",
        "transactions",
    )

    def __init__(self, name: str, scope: str, max_queries: int | None = None, test_site: Site | None = None) -> None:
        self.name = name
        self.scope = scope
        self.max_queries = max_queries
        self.test_site = test_site
        self.nested: list[Scope] = []
        self.ignores: list[IgnoredRange] = []
        self.kept: list[tuple[Any, ...]] = []
        self.overflow: dict[tuple[str, Any], int] = {}
        self.lazy: dict[Any, int] = {}
        self.count = 0
        self.elapsed_ns = 0
        self.is_paused = False
        self.commits: list[Commit] = []
        self.transactions: list[OpenTransaction] = []
        self.eager: list[OriginOption] = []
        self.reads_elsewhere: set[Any] = set()
        # sessions are numbered as they are made: one with a smaller number was there before the scope
        self.sessions_before: int = Session().hash_key
        self._checkouts: list[tuple[ref[Any], Stack]] = []

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

    def add_commit(self, stack: Stack) -> None:
        """Take in a commit; a session's and that of its connection are one."""
        commits = self.commits
        if self.is_paused:
            return
        if commits and commits[-1].position == self.count and commits[-1].stack.key == stack.key:
            return
        if len(commits) < MAX_KEPT:
            commits.append(Commit(self.count, stack))

    def add_eager(self, origin: OriginOption) -> bool:
        """Take in a select that loads relationships along; False where there are too many to judge all."""
        if self.is_paused or len(self.eager) >= _MAX_EAGER:
            return False
        self.eager.append(origin)
        return True

    def add_checkout(self, proxy: Any, stack: Stack) -> None:
        """Take in a connection that leaves its pool; those that are back are forgotten now and then."""
        if self.is_paused:
            return
        if len(self._checkouts) >= _MAX_CHECKOUTS:
            self._checkouts = [each for each in self._checkouts if _is_out(each[0]())]
            if len(self._checkouts) >= _MAX_CHECKOUTS:
                return
        self._checkouts.append((ref(proxy), stack))

    def drop_checkout(self, proxy: Any) -> None:
        """Forget a connection: its owner is not of this scope."""
        self._checkouts = [each for each in self._checkouts if each[0]() is not proxy]

    def open_connections(self) -> tuple[Stack, ...]:
        """Return where the connections were taken that are still out of their pools."""
        seen: dict[int, Stack] = {}
        for reference, stack in self._checkouts:
            proxy = reference()
            if _is_out(proxy):
                seen.setdefault(id(proxy), stack)
        return tuple(seen.values())

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
            tuple(self.commits),
            tuple(self.transactions),
            self.open_connections(),
            tuple(self.eager),
            frozenset(self.reads_elsewhere),
        )

    def recordings(self) -> tuple[Recording, ...]:
        """Return the recording of this scope, then those of the scopes nested in it, at any depth."""
        return tuple(scope.recording() for scope in self.all_scopes())

    def all_scopes(self) -> tuple[Scope, ...]:
        """Return this scope and those nested in it, at any depth."""
        return (self, *(inner for scope in self.nested for inner in scope.all_scopes()))


def _is_out(proxy: Any) -> bool:
    """Whether a pool still waits for a connection."""
    return proxy is not None and bool(proxy.is_valid) and not proxy.is_detached
