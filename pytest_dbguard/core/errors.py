"""The errors that dbguard raises at its edges: what is wrong, where, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

_EQUALS = 20


class DbguardError(Exception):
    """Something the user can mend: a wrong value, a missing file, a database that does not start.

    Shown without a traceback: by pytest as a usage error (exit status 4), by the command line as exit status 2.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class ConfigError(DbguardError):
    """A setting, option, marker or environment variable that cannot be used as it stands."""


class BaselineError(DbguardError):
    """A baseline file that cannot be read or written."""


class DatabaseError(DbguardError):
    """A database that cannot be started, reached or prepared."""


class ReportError(DbguardError):
    """A report that cannot be written."""


class DbguardWarning(UserWarning):
    """Something about a test that its author should know; shown among pytest's warnings."""


class LeakWarning(DbguardWarning):
    """A test left a connection or transaction open."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word closest to `word`, or None when none is near.

    Of several equally near, the one with most characters in their place.
    """
    matches = get_close_matches(word, list(known), n=_EQUALS, cutoff=0.6)
    # a slip of the pen moves nothing: DBG1O1 is DBG101 rather than DBG911
    return max(sorted(matches), key=lambda match: _likeness(match, word), default=None)


def _likeness(match: str, word: str) -> tuple[float, int]:
    in_place = sum(one == other for one, other in zip(match, word, strict=False))
    return SequenceMatcher(None, match, word).ratio(), in_place


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest known word, or lists all of them."""
    names = sorted(known)
    match = nearest(word, names)
    return f"did you mean {match!r}?" if match else f"known: {', '.join(names)}"
