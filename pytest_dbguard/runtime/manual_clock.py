"""A clock that stands until it is moved, to see in a test what hours do to connections."""

from __future__ import annotations

from threading import Lock

_BEGINNING = 1_000_000_000.0


class ManualClock:
    """Stands until it is moved. Whoever sleeps by it moves it. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._monotonic = 0.0
        self._wall = _BEGINNING

    def monotonic(self) -> float:
        """Return the seconds that it was moved so far."""
        return self._monotonic

    def wall(self) -> float:
        """Return seconds since 1970; it begins at 1 000 000 000."""
        return self._wall

    def sleep(self, seconds: float) -> None:
        """Move it by so many seconds, and return at once."""
        self.move(seconds)

    def move(self, seconds: float) -> None:
        """Let so many seconds pass, for ages and limits as well as for people.

        Raises:
            ValueError: When they are negative: only the clock for people can go back.
        """
        if seconds < 0:
            raise ValueError("time does not go back; set_wall moves the clock that people read")
        with self._lock:
            self._monotonic += seconds
            self._wall += seconds

    def set_wall(self, seconds: float) -> None:
        """Set the clock that people read, as an administrator does; no time passes."""
        with self._lock:
            self._wall = seconds
