"""What statements cost with sets of candidate indexes, each question asked once and none whose answer follows.

A planner that sees more indexes than it uses would take the same plan with those alone: from one plan follow those for
all sets between what it used and what it saw. Sets are bits of integers, so that this is two operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from pytest_dbguard.planning.advice.index_bytes import index_bytes
from pytest_dbguard.planning.advice.items import Item
from pytest_dbguard.planning.advice.masks import bits
from pytest_dbguard.planning.lab.base import IndexSpec, Lab, LabError, SwitchingLab
from pytest_dbguard.planning.plan import Plan

Costing = Callable[[Item, Plan], float]


@dataclass(frozen=True, slots=True)
class Answer:
    """One plan: the candidates that the planner saw, those that it used, and the cost of one execution."""

    shown: int
    used: int
    cost: float


@dataclass(slots=True)
class Prices:
    """Asks a lab.

    Attributes:
        lab: Open, all candidates hidden.
        items: The statements.
        costing: Cost of a plan.
        specs: Candidates by number.
        names: Their names in the lab.
        sizes: Their bytes.
        asked: Plans that were asked for.
        refused: Items that the planner refuses, each with its reason.
        plans: Plans as the schema is, by item.
    """

    lab: Lab
    items: Sequence[Item]
    costing: Costing
    specs: list[IndexSpec] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    relevant: list[int] = field(default_factory=list)
    asked: int = 0
    refused: dict[int, str] = field(default_factory=dict)
    plans: dict[int, Plan] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _by_spec: dict[IndexSpec, int] = field(default_factory=dict)
    _answers: list[list[Answer]] = field(default_factory=list)
    _weights: dict[int, int] = field(default_factory=dict)
    _seen: int = 0
    _switched: int = 0

    def __post_init__(self) -> None:
        self.relevant = [0] * len(self.items)
        self._answers = [[] for _ in self.items]

    def add(self, specs: Iterable[IndexSpec]) -> int:
        """Make candidates in the lab, at once; return the set of those that are new and not refused."""
        new = [spec for spec in dict.fromkeys(specs) if spec not in self._by_spec]
        added = 0
        for spec, name in zip(new, self.lab.add(new), strict=True):
            size = index_bytes(self.lab, name, spec) if name else None
            if size is None:
                continue
            number = len(self.specs)
            self.specs.append(spec)
            self._by_spec[spec] = number
            self.names.append(name)
            self.sizes.append(size)
            self._numbers[name] = number
            added |= 1 << number
            for item in self.items:
                if may_serve(spec, item):
                    self.relevant[item.number] |= 1 << number
        return added

    def set_of(self, specs: Iterable[IndexSpec]) -> int:
        """Return candidates as a set; those that were refused are not in it."""
        numbers = (self._by_spec.get(spec) for spec in specs)
        return sum(1 << number for number in set(numbers) if number is not None)

    def size(self, chosen: int) -> int:
        """Return the bytes of a set."""
        found = self._weights.get(chosen)
        if found is None:
            found = self._weights[chosen] = sum(self.sizes[number] for number in bits(chosen))
        return found

    def answers(self, item: Item) -> Sequence[Answer]:
        """Return all plans of an item that are known."""
        return self._answers[item.number]

    def known(self, item: Item, chosen: int) -> Answer | None:
        """Return the plan of an item with a set, if it is known or follows from one that is."""
        chosen &= self.relevant[item.number]
        for answer in self._answers[item.number]:
            if not (answer.used & ~chosen or chosen & ~answer.shown):
                return answer
        return None

    def ask(self, items: Iterable[Item], chosen: int) -> None:
        """Find out what items cost with a set, as far as that is not known."""
        missing = [each for each in items if each.number not in self.refused and self.known(each, chosen) is None]
        if missing:
            relevant = 0
            for item in missing:
                relevant |= self.relevant[item.number]
            with self.showing(chosen & relevant):
                for item in missing:
                    self.explain(item)

    @contextmanager
    def showing(self, chosen: int) -> Iterator[None]:
        """Show exactly a set."""
        before = self._seen
        shown, hidden = self._called(chosen & ~before), self._called(before & ~chosen)
        # a lab that can be switched is, when a plan is asked for
        is_switched = isinstance(self.lab, SwitchingLab)
        with nullcontext() if is_switched else self.lab.visible(shown=shown, hidden=hidden):
            self._seen = chosen
            try:
                yield
            finally:
                self._seen = before

    def hide_all(self) -> None:
        """Leave the lab as it was."""
        self._switch(0)

    def _switch(self, chosen: int) -> None:
        if isinstance(self.lab, SwitchingLab) and self._switched != chosen:
            # none is what stands there while it is switched
            self._switched = -1
            self.lab.show(self._called(chosen))
            self._switched = chosen

    def _called(self, chosen: int) -> list[str]:
        return [self.names[number] for number in bits(chosen)]

    def explain(self, item: Item) -> Answer | None:
        """Plan an item with what is shown; None where the planner refuses it."""
        plan = self.plan(item)
        if plan is None:
            return None
        if not self._seen:
            self.plans[item.number] = plan
        used = 0
        for name in plan.indexes:
            if name in self._numbers:
                used |= 1 << self._numbers[name]
        self.relevant[item.number] |= used
        answer = Answer(self._seen & self.relevant[item.number], used, self.costing(item, plan))
        self._answers[item.number].append(answer)
        return answer

    def plan(self, item: Item) -> Plan | None:
        """Return the plan of an item with what is shown."""
        self.asked += 1
        try:
            self._switch(self._seen)
            found = self.lab.explain(item.sql)
        except LabError as error:
            self.refused.setdefault(item.number, str(error))
            return None
        if found.plan is None:
            self.refused.setdefault(item.number, "the planner refused it")
        return found.plan


def may_serve(spec: IndexSpec, item: Item) -> bool:
    """Whether an item could use a candidate: it asks by its first column, or finds all its columns in it."""
    for view in item.views:
        if (view.table.schema, view.table.name) != (spec.schema, spec.table):
            continue
        first = spec.columns[0]
        if first is None or first in view.scan.columns:
            return True
        if not view.scan.is_whole and view.scan.columns <= {*spec.columns, *spec.include}:
            return True
    return False
