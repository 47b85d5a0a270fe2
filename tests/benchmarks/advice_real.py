"""What a set of indexes is really worth: made on the tables with rows, planned with, weighed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from typing import NamedTuple

from advice_what_if import Question
from plans_databases import Populated

_VALID = "UPDATE pg_catalog.pg_index SET indisvalid = %s WHERE indexrelid = %s::regclass"


class Made(NamedTuple):
    """An index to be made for real: `what` follows CREATE INDEX and a name; `keys` begin it, in order."""

    table: str
    keys: tuple[str, ...]
    what: str
    is_plain: bool = True


@dataclass(frozen=True, slots=True)
class Worth:
    """What a set does.

    Attributes:
        size_bytes: Real size.
        cost: Of the workload with it, by EXPLAIN.
        costs: By question.
        unused: Members that no plan uses.
        redundant: Members that begin another one or an index of the schema.
    """

    size_bytes: int
    cost: float
    costs: Mapping[int, float]
    unused: int
    redundant: int


@dataclass(slots=True)
class RealIndexes:
    """Makes each index once; those that are not asked for are hidden from the planner by a flag in the catalog."""

    source: Populated
    questions: Sequence[Question]
    _names: dict[str, str] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)

    def worth(self, indexes: Iterable[Made], *, without: Iterable[str] = ()) -> Worth:
        """Return what a set is worth; `without` are names of existing indexes that are hidden as well."""
        asked = tuple(dict.fromkeys(indexes))
        names = {self._made(index): index for index in asked}
        hidden = tuple(without)
        self._flag(names, valid=True)
        self._flag(hidden, valid=False)
        try:
            plans = {question.number: self.source.explain(question.text) for question in self.questions}
        finally:
            self._flag(names, valid=False)
            self._flag(hidden, valid=True)
        used = frozenset[str]().union(*(plan.indexes for plan in plans.values()))
        costs = {number: plan.cost or 0.0 for number, plan in plans.items()}
        return Worth(
            sum(self._sizes[name] for name in names),
            sum(question.weight * costs[question.number] for question in self.questions),
            costs,
            sum(name not in used for name in names),
            sum(self._is_redundant(index, asked) for index in asked),
        )

    def _made(self, index: Made) -> str:
        if index.what not in self._names:
            name = f"real_{md5(index.what.encode(), usedforsecurity=False).hexdigest()}"
            self.source.connection.execute(f"CREATE INDEX IF NOT EXISTS {name} {index.what}")
            row = self.source.connection.execute("SELECT pg_relation_size(%s::regclass)", [name]).fetchone()
            assert row is not None
            self._names[index.what], self._sizes[name] = name, row[0]
            self._flag([name], valid=False)
        return self._names[index.what]

    def _flag(self, names: Iterable[str], *, valid: bool) -> None:
        for name in names:
            self.source.connection.execute(_VALID, [valid, name])

    def _is_redundant(self, index: Made, asked: Sequence[Made]) -> bool:
        table = self.source.catalog.table(index.table)
        assert table is not None
        others = [other.keys for other in asked if other is not index and other.table == index.table and other.is_plain]
        existing = [tuple(key.column or "" for key in each.keys) for each in table.indexes if not each.predicate]
        return index.is_plain and any(keys[: len(index.keys)] == index.keys for keys in (*others, *existing))
