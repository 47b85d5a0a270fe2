"""Which plans are accepted: for each shape how its tables are read, at what cost, and what the planner was given."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

KEPT_WITHIN: Final = 0.1
"""A cost that moves by less than this share keeps its line, so that a wider column does not rewrite a whole file."""


@dataclass(frozen=True, slots=True, order=True)
class PlanKey:
    """What a plan belongs to: a statement without its literals, on one kind of database."""

    dialect: str
    shape: str


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One accepted plan. A shape has several where it runs on schemas that differ, or after a merge of branches.

    Attributes:
        key: What it belongs to.
        tables: (table, rows that the planner believed in) of the tables that it reads or writes, by name.
        plan: One line a node, as `planning.plan_shape` writes them.
        cost: In the planner's unit; None where it tells none.
        constants: A short hash of the values and lengths of lists that it was planned with, so that only plans of the
            same text are compared; "" where the shape says it all.
    """

    key: PlanKey
    tables: tuple[tuple[str, int], ...]
    plan: tuple[str, ...]
    cost: float | None = None
    constants: str = ""

    @property
    def order(self) -> tuple[tuple[str, ...], PlanKey, tuple[str, ...]]:
        """The sort key: what reads the same tables lies together in the file."""
        return (tuple(name for name, _ in self.tables), self.key, self.plan)

    def merged(self, other: PlanEntry) -> PlanEntry:
        """Return one of two entries with the same plan: the dearer, which accepts what both did."""
        return max(self, other, key=lambda entry: (entry.cost or 0.0, entry.tables, entry.constants))

    def is_close(self, other: PlanEntry) -> bool:
        """Return whether both say so nearly the same that a line need not change."""
        if replace(self, cost=None) != replace(other, cost=None) or (self.cost is None) != (other.cost is None):
            return False
        own, others = self.cost or 0.0, other.cost or 0.0
        return abs(own - others) <= KEPT_WITHIN * own


@dataclass(frozen=True, slots=True)
class PlanBasis:
    """What plans of one kind of database were made with. Costs are compared only where both sides say the same.

    Attributes:
        version: Of the planner, as far as plans depend on it: "18", "3.40".
        sizes: How it was made to believe in sizes: the rung of the lab.
        statistics: What figures came from: "default", "dbguard-stats.json of 2026-11-01".
    """

    version: str
    sizes: str
    statistics: str

    @property
    def label(self) -> str:
        """The basis as people are told: `18, sizes forged, statistics default`."""
        return f"{self.version}, sizes {self.sizes}, statistics {self.statistics}"


@dataclass(frozen=True, slots=True)
class Plans:
    """All accepted plans, sorted; without those that have no node, as of rows that SQLite inserts.

    Attributes:
        entries: The plans.
        made_with: What they were made with, by dialect.
        texts: (shape id, short text) for the shapes that the entries name; not all must be known.
    """

    entries: tuple[PlanEntry, ...] = ()
    made_with: Mapping[str, PlanBasis] = field(default_factory=dict)
    texts: tuple[tuple[str, str], ...] = ()
    _by_key: Mapping[PlanKey, tuple[PlanEntry, ...]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        merged: dict[tuple[PlanKey, tuple[str, ...]], PlanEntry] = {}
        for entry in self.entries:
            if not entry.plan:
                continue
            place = (entry.key, entry.plan)
            merged[place] = merged[place].merged(entry) if place in merged else entry
        in_order = tuple(sorted(merged.values(), key=lambda entry: entry.order))
        by_key: dict[PlanKey, list[PlanEntry]] = {}
        for entry in in_order:
            by_key.setdefault(entry.key, []).append(entry)
        named = {key.shape for key in by_key}
        used = {key.dialect for key in by_key}
        texts: dict[str, str] = {}
        for shape, text in self.texts:
            if shape in named:
                texts[shape] = min(text, texts.get(shape, text))
        bases = {dialect: basis for dialect, basis in sorted(self.made_with.items()) if dialect in used}
        object.__setattr__(self, "entries", in_order)
        object.__setattr__(self, "made_with", bases)
        object.__setattr__(self, "texts", tuple(sorted(texts.items())))
        object.__setattr__(self, "_by_key", {key: tuple(entries) for key, entries in by_key.items()})

    @property
    def keys(self) -> frozenset[PlanKey]:
        """What has accepted plans."""
        return frozenset(self._by_key)

    def of(self, key: PlanKey) -> tuple[PlanEntry, ...]:
        """Return the accepted plans of a shape; none for one that is not known."""
        return self._by_key.get(key, ())

    def updated(
        self, planned: Iterable[PlanEntry], made_with: Mapping[str, PlanBasis], texts: Mapping[str, str]
    ) -> Plans:
        """Return plans that accept what was planned, and of other shapes what they said before.

        Lines of shapes whose plan and cost are nearly as before stay, unless they were made with something else. Where
        it is something else now, plans that are not renewed lose their costs.

        Args:
            planned: The plans of a run.
            made_with: What they were made with, by dialect.
            texts: Short texts of shapes by id; a text that is known already stays as it is.
        """
        new = Plans(tuple(planned))
        stays = {dialect for dialect, basis in self.made_with.items() if made_with.get(dialect, basis) == basis}
        others = tuple(
            entry if entry.key.dialect in stays else replace(entry, cost=None)
            for entry in self.entries
            if entry.key not in new.keys
        )
        own = tuple(self._kept(entry) if entry.key.dialect in stays else entry for entry in new.entries)
        known = {**texts, **dict(self.texts)}
        return Plans(others + own, {**self.made_with, **made_with}, tuple(known.items()))

    def gone(self, seen: Collection[PlanKey]) -> frozenset[PlanKey]:
        """Return the shapes that a full run did not send any more, on the kinds of database that it used."""
        dialects = {key.dialect for key in seen}
        return frozenset(key for key in self.keys.difference(seen) if key.dialect in dialects)

    def without(self, keys: Collection[PlanKey]) -> Plans:
        """Return the plans of all other shapes."""
        return replace(self, entries=tuple(entry for entry in self.entries if entry.key not in keys))

    def _kept(self, entry: PlanEntry) -> PlanEntry:
        return next((old for old in self.of(entry.key) if old.is_close(entry)), entry)
