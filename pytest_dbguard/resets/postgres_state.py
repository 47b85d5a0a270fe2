"""The clean state of a PostgreSQL database: a pile of layers, each what one fixture of wider scope has added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_dbguard.resets.postgres_facts import Facts


@dataclass(slots=True)
class Copy:
    """The rows that belong into a table, as they are kept in the schema dbguard."""

    name: str
    rows: int
    signature: str
    """What the table itself reads now when it holds them: the number of rows, and the sum of their transactions."""

    first_signature: str
    """What it read when the copy was made, and reads in every database that is copied from that state."""

    columns: str | None = None
    """The columns to fill, once they were needed."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a sequence stands."""

    value: int
    is_called: bool


@dataclass(slots=True)
class Layer:
    """What one fixture of wider scope has added to the clean state; the lowest holds what the template does."""

    owner: str
    facts: Facts
    ddl: str = ""
    """The number of changes to the schema, or what the catalogs read."""

    large_objects: str = ""
    copies: dict[int, Copy] = field(default_factory=dict)
    positions: dict[int, Position] = field(default_factory=dict)
    snapshot: str | None = None
    """A database to copy that holds this layer and all below it. None for the lowest: that is the template."""

    unsaved: set[int] = field(default_factory=set)
    """Tables whose rows of this layer are not in the snapshot."""

    is_whole: bool = False
    """Whether it changes more than rows, such as the schema; it then has copies of all rows there were."""


class CleanState:
    """The layers, lowest first, and what they amount to."""

    def __init__(self, base: Layer) -> None:
        self.layers = [base]

    @property
    def top(self) -> Layer:
        """The layer that was added last."""
        return self.layers[-1]

    @property
    def copies(self) -> Mapping[int, Copy]:
        """What belongs into each table; tables without are empty."""
        found: dict[int, Copy] = {}
        for layer in self.layers:
            if layer.is_whole:
                found.clear()
            found.update(layer.copies)
        return found

    @property
    def positions(self) -> Mapping[int, Position]:
        """Where each sequence belongs."""
        found: dict[int, Position] = {}
        for layer in self.layers:
            if layer.is_whole:
                found.clear()
            found.update(layer.positions)
        return found

    @property
    def whole(self) -> Layer:
        """The uppermost layer that holds everything below it too; the lowest, if there is no other."""
        return next((layer for layer in reversed(self.layers) if layer.is_whole), self.layers[0])

    @property
    def unsaved(self) -> list[tuple[int, Copy]]:
        """The copies that no snapshot holds, which a fresh database has to be given, each with its table's number."""
        above = self.layers[self.layers.index(self.whole) :]
        return [(oid, layer.copies[oid]) for layer in above for oid in sorted(layer.unsaved)]

    def give_up_unsaved(self) -> list[str]:
        """Take away the layers that no snapshot holds, and return whose they were."""
        above = self.layers.index(self.whole) + 1
        owners = [layer.owner for layer in self.layers[above:]]
        del self.layers[above:]
        if self.whole.unsaved:
            owners.insert(0, self.whole.owner)
        for oid in self.whole.unsaved:
            del self.whole.copies[oid]
        self.whole.unsaved.clear()
        return owners

    def refreshed(self) -> None:
        """Take in that the database is a copy again: all rows are those that were there first."""
        for copy in self.copies.values():
            copy.signature = copy.first_signature

    def find(self, owner: str) -> int | None:
        """Return the number of an owner's layer; None when it has none."""
        return next((number for number, layer in enumerate(self.layers) if number and layer.owner == owner), None)

    def push(self, layer: Layer) -> None:
        """Add a layer on top."""
        self.layers.append(layer)

    def pop(self) -> Layer:
        """Take the uppermost layer away."""
        return self.layers.pop()

    def is_mixed(self, number: int) -> bool:
        """Whether a layer, or one above it, changes more than rows: then it cannot be taken from below the others."""
        return any(layer.is_whole for layer in self.layers[number:])

    def up_to(self, number: int) -> Mapping[int, Copy]:
        """Return what belonged into each table below a layer."""
        below = CleanState(self.layers[0])
        below.layers = self.layers[:number]
        return below.copies

    def remove(self, number: int) -> Layer:
        """Take a layer away from below others, whose copies do not hold what it wrote."""
        return self.layers.pop(number)

    def merge_up(self, number: int) -> Layer:
        """Make a layer part of the one above it, and return what is superfluous of it."""
        lower, upper = self.layers.pop(number), self.layers[number]
        if upper.is_whole:
            return lower
        superfluous = Layer(lower.owner, lower.facts)
        superfluous.copies = {oid: copy for oid, copy in lower.copies.items() if oid in upper.copies}
        upper.copies = lower.copies | upper.copies
        upper.positions = lower.positions | upper.positions
        upper.unsaved |= lower.unsaved
        upper.is_whole, upper.snapshot = lower.is_whole, lower.snapshot
        return superfluous
