"""Makes fresh databases ahead of need and deletes old ones, in the background."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count

Create = Callable[[str], None]

_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class _Ready:
    source: str | None
    name: str
    made: Future[None]


@dataclass(slots=True)
class Spares:
    """One fresh database that is ready, from the first need of one on, and a thread that makes and deletes."""

    name: str
    """What the names of all of them begin with."""

    create: Callable[[str, str | None], None]
    """Makes a database of that name from a source, None being the template."""

    drop: Create
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _thread: ThreadPoolExecutor | None = None
    _ready: _Ready | None = None
    _leftovers: list[Future[None]] = field(default_factory=list)

    def new_name(self, kind: str) -> str:
        """Return a name that no database has."""
        suffix = f"_{kind}{next(self._numbers)}"
        return self.name.encode()[: _LONGEST_NAME - len(suffix)].decode(errors="ignore") + suffix

    def take(self, source: str | None) -> str:
        """Return the name of a fresh database made from a source, and make another one ahead."""
        ready, self._ready = self._ready, None
        if ready is not None and ready.source == source and ready.made.exception() is None:
            name = ready.name
        else:
            self._discard_ready(ready)
            name = self.new_name("f")
            self.create(name, source)
        return name

    def make_ready(self, source: str | None) -> None:
        """Begin to make the next database, unless it is being made."""
        if self._ready is not None and self._ready.source == source:
            return
        self._discard_ready(self._ready)
        name = self.new_name("f")
        self._ready = _Ready(source, name, self._pool().submit(self.create, name, source))

    def discard(self, name: str) -> None:
        """Delete a database in the background."""
        self._leftovers = [leftover for leftover in self._leftovers if not leftover.done()]
        self._leftovers.append(self._pool().submit(self.drop, name))

    def close(self) -> None:
        """Delete what is left and end the thread."""
        self._discard_ready(self._ready)
        self._ready = None
        if self._thread is not None:
            self._thread.shutdown(wait=True)
            self._thread = None

    def _discard_ready(self, ready: _Ready | None) -> None:
        if ready is not None:
            self.discard(ready.name)

    def _pool(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="dbguard-spares")
        return self._thread
