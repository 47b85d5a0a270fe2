"""What the peers ask: costs of questions with indexes that HypoPG pretends, each asked once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import permutations
from typing import NamedTuple

from plans_databases import Populated

WIDE = 9
"""A list of more columns than these is what a library writes: no index is to carry them all."""

_NAME = re.compile(r"(?:\b(\w+)\.)?\b(\w+)\b")
_LIST = re.compile(r"\ASELECT (.*?) FROM ", re.DOTALL)


class Index(NamedTuple):
    """A plain index of a table."""

    table: str
    columns: tuple[str, ...]

    @property
    def statement(self) -> str:
        """What makes it."""
        return f"CREATE INDEX ON {self.table} ({', '.join(self.columns)})"

    def begins(self, other: Index) -> bool:
        """Whether another one serves all that this does."""
        return self.table == other.table and other.columns[: len(self.columns)] == self.columns


class Question(NamedTuple):
    """A statement with its literals, and how often it runs."""

    number: int
    text: str
    weight: float = 1.0


Set = frozenset[Index]


@dataclass(slots=True)
class HypoPG:
    """Asks the database with rows, in one session.

    Attributes:
        source: The database.
        asked: Plans that were asked for.
    """

    source: Populated
    asked: int = 0
    _shown: dict[Index, tuple[int, str]] = field(default_factory=dict)
    _plans: dict[tuple[int, Set], tuple[float, Set]] = field(default_factory=dict)
    _sizes: dict[Index, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.source.connection.execute("CREATE EXTENSION IF NOT EXISTS hypopg")
        self.source.connection.execute("SELECT hypopg_reset()")

    def reset(self) -> None:
        """Forget everything, so that the next who asks pays for it."""
        self.asked = 0
        self._plans.clear()
        self._sizes.clear()
        self.show(frozenset())

    def size(self, index: Index) -> int:
        """Return what HypoPG says that an index weighs, in bytes."""
        if index not in self._sizes:
            self.show(frozenset({*self._shown, index}))
            (self._sizes[index],) = self._one("SELECT hypopg_relation_size(%s)", [self._shown[index][0]])
        return self._sizes[index]

    def plan(self, question: Question, indexes: Set) -> tuple[float, Set]:
        """Return the cost of one execution, and which indexes it uses."""
        key = (question.number, indexes)
        if key not in self._plans:
            self.show(indexes)
            self.asked += 1
            (told,) = self._one(f"EXPLAIN (FORMAT JSON) {question.text}")
            names = {name: index for index, (_, name) in self._shown.items()}
            used = frozenset(names[name] for name in _used(told[0]["Plan"]) if name in names)
            self._plans[key] = (told[0]["Plan"]["Total Cost"], used)
        return self._plans[key]

    def show(self, indexes: Set) -> None:
        """Pretend these and no others."""
        for index in self._shown.keys() - indexes:
            self._one("SELECT hypopg_drop_index(%s)", [self._shown.pop(index)[0]])
        for index in sorted(indexes - self._shown.keys()):
            made = self._one("SELECT * FROM hypopg_create_index(%s)", [index.statement])
            self._shown[index] = (made[0], made[1])

    def _one(self, sql: str, values: Sequence[object] | None = None) -> tuple:
        row = self.source.connection.execute(sql, values).fetchone()
        assert row is not None
        return row


def _used(node: Mapping) -> Iterable[str]:
    if "Index Name" in node:
        yield node["Index Name"]
    for child in node.get("Plans", ()):
        yield from _used(child)


@dataclass
class Problem:
    """A workload, as peers take it.

    Attributes:
        planner: Whom they ask.
        questions: All of them.
        width: Columns that an index has at most.
        seconds: What a search may take where it would go on for long.
    """

    planner: HypoPG
    questions: tuple[Question, ...]
    width: int = 3
    seconds: float = 60
    _touches: dict[Index, frozenset[int]] = field(default_factory=dict)

    @cached_property
    def columns(self) -> dict[int, dict[str, tuple[str, ...]]]:
        """Columns of each table that a question names, by the question's number."""
        return {question.number: self._columns(question.text) for question in self.questions}

    def _columns(self, text: str) -> dict[str, tuple[str, ...]]:
        listed = _LIST.search(text)
        if listed and len(set(_NAME.findall(listed[1]))) > WIDE:
            text = text[listed.end(1) :]
        names = set(_NAME.findall(re.sub(r"'[^']*'", "''", text)))
        words = {word for pair in names for word in pair}
        known = {table.name: table for table in self.planner.source.catalog.tables if table.name in words}
        return {
            name: found
            for name, table in known.items()
            if (
                found := tuple(
                    column.name
                    for column in table.columns
                    if any(column.name == word and (owner == name or owner not in known) for owner, word in names)
                )
            )
        }

    def permutations(self, question: Question, width: int | None = None) -> Set:
        """Return all indexes of up to so many columns that a question names."""
        most = self.width if width is None else width
        return frozenset(
            Index(table, chosen)
            for table, names in self.columns[question.number].items()
            for length in range(1, most + 1)
            for chosen in permutations(names, length)
        )

    @cached_property
    def singles(self) -> tuple[Index, ...]:
        """Return all indexes of one column that any question names."""
        return tuple(sorted({index for question in self.questions for index in self.permutations(question, 1)}))

    def touches(self, index: Index) -> frozenset[int]:
        """Return the numbers of the questions whose plans an index can change: they name a column of it."""
        if index not in self._touches:
            columns = set(index.columns)
            found = (each for each, named in self.columns.items() if columns & set(named.get(index.table, ())))
            self._touches[index] = frozenset(found)
        return self._touches[index]

    def cost_of(self, question: Question, indexes: Iterable[Index]) -> float:
        """Return what a question costs as often as it runs."""
        relevant = frozenset(index for index in indexes if question.number in self.touches(index))
        return question.weight * self.planner.plan(question, relevant)[0]

    def cost(self, indexes: Set, questions: Iterable[Question] | None = None) -> float:
        """Return the cost of the workload, or of a part of it."""
        return sum(self.cost_of(question, indexes) for question in (self.questions if questions is None else questions))

    def gain(self, before: Set, after: Set, questions: Iterable[Question] | None = None) -> float:
        """Return what a change of the set saves, for the workload or a part of it."""
        changed = frozenset[int]().union(*map(self.touches, before ^ after))
        asked = [each for each in (self.questions if questions is None else questions) if each.number in changed]
        return self.cost(before, asked) - self.cost(after, asked)

    def size(self, indexes: Iterable[Index]) -> int:
        """Return what they weigh together, in bytes."""
        return sum(self.planner.size(index) for index in indexes)
