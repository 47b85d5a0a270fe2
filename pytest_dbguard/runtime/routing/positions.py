"""Positions in primary's log, and what a request or job knows of them: by its own writes, and by its client's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

_TOKEN = re.compile(r"1-([0-9a-f]{1,8})-([0-9a-f]{1,16})", re.ASCII)
_LONGEST_TOKEN = 27
_MAX_LSN = 2**64 - 1
_MAX_TIMELINE = 2**32 - 1
_PAGE = 8192
_PAGE_HEADER = 24


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """A position in PostgreSQL's write-ahead log. What is on a newer timeline is later."""

    timeline: int = field(default=0, kw_only=True)
    """Number of the timeline, which each promotion of a replica begins anew; 0 where it is not known."""

    lsn: int
    """Byte in the log."""

    @classmethod
    def parse(cls, token: str | None) -> Position | None:
        """Return what a token says; None for one that is none. Clients can forge it: it is not to be trusted."""
        if token is None or len(token) > _LONGEST_TOKEN or (match := _TOKEN.fullmatch(token)) is None:
            return None
        return cls(int(match[2], 16), timeline=int(match[1], 16))

    @classmethod
    def of_lsn(cls, text: str, *, timeline: int = 0) -> Position:
        """Return the position that PostgreSQL writes as "16/B374D848".

        Where the next record comes first on a page, primary names the byte after the page's header, but a replica
        that has replayed all before it names the page's first byte; both are that byte here.
        """
        high, _, low = text.partition("/")
        lsn = (int(high, 16) << 32) + int(low, 16)
        return cls(lsn - _PAGE_HEADER if lsn % _PAGE == _PAGE_HEADER else lsn, timeline=timeline)

    def token(self) -> str:
        """Return it as text for a cookie or header."""
        return f"1-{self.timeline:x}-{self.lsn:x}"


LATEST: Final = Position(_MAX_LSN, timeline=_MAX_TIMELINE)
"""Stands for where primary is whenever somebody asks: for commits whose own position could not be taken."""


class Trail:
    """What one request or job, with all threads and tasks that it starts, has written to a manager's primary."""

    __slots__ = ("given", "own", "unplaced", "writing")

    def __init__(self, given: Position | None = None) -> None:
        self.given = given
        """What its client wrote before, as the client says."""

        self.own: Position | None = None
        """After its last commit."""

        self.unplaced = 0
        """How many of its commits have told no position."""

        self.writing = 0
        """How many of its transactions have written and have not ended."""

    @property
    def needed(self) -> Position | None:
        """What a replica must have reached to be read from; what was written here came after what the client wrote."""
        return self.own or self.given

    def committed(self, position: Position) -> None:
        """Note where the log was after a commit."""
        if position is LATEST:
            self.unplaced += 1
        self.own = position if self.own is None or self.own is LATEST else max(self.own, position)

    def place(self, position: Position, unplaced: int) -> None:
        """Take a position that primary told after so many commits without one: later reads need not ask it again."""
        if self.own is LATEST and self.unplaced == unplaced:
            self.own = position

    @property
    def told(self) -> Position | None:
        """What its client is to be told; LATEST while a transaction that wrote has not ended."""
        return LATEST if self.writing > 0 else self.own


class _Trails:
    """The trails of one context by manager: an application may have several databases, each with a log of its own.

    Mutable on purpose: what a thread of a pool sets in its copy of a context never comes back, but all copies share
    this object.
    """

    __slots__ = ("_by_manager",)

    def __init__(self, others: _Trails | None = None) -> None:
        self._by_manager: WeakKeyDictionary[object, Trail] = WeakKeyDictionary()
        if others is not None:
            self._by_manager.update(others._by_manager)

    def get(self, manager: object) -> Trail | None:
        return self._by_manager.get(manager)

    def add(self, manager: object, trail: Trail) -> Trail:
        return self._by_manager.setdefault(manager, trail)

    def replace(self, manager: object, trail: Trail) -> None:
        self._by_manager[manager] = trail


current_position: ContextVar[_Trails | None] = ContextVar("dbguard_current_position", default=None)
"""The trails of whatever runs: of the request, where `PositionASGI` or `PositionWSGI` has begun one."""


def trail_of(manager: object) -> Trail | None:
    """Return the present context's trail, None before the first write."""
    trails = current_position.get()
    return None if trails is None else trails.get(manager)


def ensure_trail(manager: object) -> Trail:
    """Return the present context's trail; begin one where there is none."""
    trails = current_position.get()
    if trails is None:
        trails = _Trails()
        current_position.set(trails)
    return trails.get(manager) or trails.add(manager, Trail())


def note_write(manager: object) -> None:
    """Note a write that no routing session has seen: what the present context reads from now on has it.

    Nobody knows its position, so that primary is asked for the one of then.
    """
    ensure_trail(manager).committed(LATEST)


def begin_trail(manager: object, trail: Trail) -> Token[_Trails | None]:
    """Have a trail of its own in the present context; what is returned undoes that."""
    trails = _Trails(current_position.get())
    trails.replace(manager, trail)
    return current_position.set(trails)


@contextmanager
def position_scope(manager: object, given: Position | str | None = None) -> Iterator[Trail]:
    """Begin a trail of its own for a request or job: what its threads and tasks write, all of them see.

    Args:
        manager: Whose sessions are concerned.
        given: What the client of the request wrote before, or the token for it; ignored where it is no token.
    """
    before = begin_trail(manager, Trail(Position.parse(given) if isinstance(given, str) else given))
    trail = trail_of(manager)
    assert trail is not None
    try:
        yield trail
    finally:
        current_position.reset(before)
