"""How a test gets clean data: what resets, cleaners and the ledger of connections promise each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol


class Did(StrEnum):
    """What a reset did to the database."""

    NOTHING = "nothing"
    """It was clean, or the reset leaves it alone."""

    EMPTIED = "emptied"
    """Changed tables were emptied, and what belongs into them put back."""

    SWAPPED = "swapped"
    """A fresh copy of the template took its place."""

    ROLLED_BACK = "rolled back"


@dataclass(frozen=True, slots=True)
class Leak:
    """A connection or transaction that a test left open."""

    owner: str | None
    """The test that opened it; None when that is not known (another process, a driver used directly)."""

    message: str
    """One line without literals, such as "a connection with an open transaction"."""

    stack: tuple[str, ...] = ()
    """Places of application and test code that opened it, innermost first, as "path:line in function"."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reset found at the end of a test and what it did."""

    did: Did = Did.NOTHING
    dirty: tuple[str, ...] = ()
    """Names of the tables that had changed, with their schema where it is not the default one."""

    reason: str = ""
    """Why it was swapped; "" otherwise."""

    leaks: tuple[Leak, ...] = ()
    warnings: tuple[str, ...] = ()
    """What the test's author should know, one sentence each."""


class Ledger(Protocol):
    """What this process knows of its connections to the database, and what can be done about them."""

    def end_leaks(self) -> Sequence[Leak]:
        """Roll back and set free the connections that the current test took and did not give back."""
        ...

    def kept_backends(self) -> frozenset[int]:
        """Return process numbers of backends that fixtures of a wider scope hold: their transactions stay."""
        ...

    def leak_of(self, backend: int, message: str) -> Leak:
        """Return the leak for a backend, with owner and stack where this process opened it."""
        ...

    def let_go(self) -> None:
        """Have every pooled connection to the database replaced before its next use, without waiting for anything."""
        ...


class Cleaner(Protocol):
    """Knows in what one database differs from its clean state, and puts it back. Used by one thread."""

    def clean(self) -> Outcome:
        """Put the database into its clean state, at the cost of what was changed. Never waits for a lock for long."""
        ...

    def truncate(self) -> Outcome:
        """Put the database into its clean state by emptying every table."""
        ...

    def swap(self, reason: str) -> Outcome:
        """Put a fresh copy in the place of the database."""
        ...

    def set_aside(self, name: str) -> str:
        """Keep the database as it is under another name, put a fresh copy in its place, return the URL of what is kept.

        The URL has its password hidden.
        """
        ...

    def is_dirty(self) -> bool:
        """Tell whether anything differs from the clean state, changing nothing."""
        ...

    def keep(self, owner: str) -> bool:
        """Make the present state the clean one until `forget(owner)`; False when nothing differs from it now."""
        ...

    def forget(self, owner: str) -> None:
        """Let what `keep(owner)` kept be dirt again; a later `clean` removes it."""
        ...

    def close(self) -> None:
        """Close the cleaner's own connections; the database stays as it is."""
        ...


class Reset(Protocol):
    """One way to give each test a clean database; one file each."""

    name: ClassVar[str]

    def begin(self) -> None:
        """Prepare for a test; called after the fixtures of wider scopes, before those of the test."""
        ...

    def make_permanent(self) -> bool:
        """Commit what the test has committed, before its database is kept; False where that cannot be done."""
        ...

    def end(self) -> Outcome:
        """Clean up after a test; called after all its fixtures have ended."""
        ...

    def close(self) -> None:
        """Give back what the reset holds."""
        ...
