"""What whoever runs an application does to its pools: resize, drain, warm up, look after, ask, and end."""

from __future__ import annotations

from typing import Any

from pytest_dbguard.runtime.pools import upkeep
from pytest_dbguard.runtime.pools.guarded import Guarded
from pytest_dbguard.runtime.pools.leaks import Holder


class Operated(Guarded):
    """A guarded pool with all that can be done to it from outside, while connections are out."""

    def resize(self, size: int, overflow: int | None = None) -> None:
        """Change how many connections there may be; what is too much is closed as it comes back, idle ones at once.

        Raises:
            ValueError: For a negative size, or one of 0, which would lift the limit.
        """
        overflow = self.slots.overflow if overflow is None else overflow
        if size < 1 or overflow < -1:
            raise ValueError(f"size must be at least 1 and overflow at least -1, not {size} and {overflow}")
        self.slots.resize(size, overflow)
        self.stats.tell("resized", f"size {size}, overflow {overflow}")
        self._tidy()

    def replace_all(self, reason: str) -> None:
        """Have every connection replaced: idle ones now, those in use as they come back."""
        with self.stats.lock:
            self.generation += 1
        self.stats.tell("replaced", reason)
        self._tidy()

    def outdate(self) -> None:
        """Have every connection replaced before its next use, without closing or waiting for any now."""
        with self.stats.lock:
            self.generation += 1

    def drain(self) -> None:
        """Do what `replace_all` does, as when credentials were rotated."""
        with self.stats.lock:
            self.generation += 1
        self.stats.tell("drained", "")
        self._tidy()

    def warm_up(self, count: int) -> int:
        """Open connections until so many are open, and keep that many from now on; return how many are.

        At most the pool's size. Raises what the driver raises.
        """
        return upkeep.warm_up(self, count)

    def evict(self) -> upkeep.Upkeep:
        """Look after the pool once; see `upkeep.evict`."""
        return upkeep.evict(self)

    def cut_frozen(self) -> int:
        """End the statements whose server has frozen, and return how many; see `Suspicion`.

        Not in an event loop, whichever kind of pool it is: may wait for `connect_timeout_s`.
        """
        return self.suspicion.look(self)

    def checked_out(self) -> tuple[Holder, ...]:
        """Return who holds connections, longest first."""
        return upkeep.holders(self)

    def driver_connections(self) -> tuple[Any, ...]:
        """Return the driver's connections that are held now, to cancel what they do."""
        with self.stats.lock:
            return tuple(each.driver_connection for each in list(self.records) if each.use is not None)

    def refuse(self) -> None:
        """Hand out nothing any more: callers get `ShuttingDown`, those that wait now included."""
        self.slots.refuse()

    def accept(self) -> None:
        """Hand out connections again after `refuse`."""
        self.slots.accept()

    def close_for_good(self) -> None:
        """Refuse, close what is idle now and what is in use as it comes back."""
        self.refuse()
        self._tidy()

    def _tidy(self) -> None:
        upkeep.close_unusable(self)

    def size(self) -> int:
        """Return how many idle connections are kept at most."""
        return self.slots.size

    def checkedin(self) -> int:
        """Return how many connections are idle."""
        with self.stats.lock:
            return self.slots.taken - self.slots.in_use

    def checkedout(self) -> int:
        """Return how many connections are in use."""
        with self.stats.lock:
            return self.slots.in_use

    def overflow(self) -> int:
        """Return how many connections are open beyond the size; negative as long as there are fewer."""
        return self.slots.taken - self.slots.size if self.slots.size else 0
