"""How many statements each test runs in each scope, by shape: what the baseline holds to tell when counts grow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from pytest_dbguard.baseline.names import without_parameters

Statements = Mapping[str, int]
"""Numbers of statements by the id of their shape."""


@dataclass(frozen=True, slots=True, order=True)
class TestKey:
    """A test as files name it: the node id without parameters, and a hash that tells its parameter sets apart.

    Parameters may hold values, which do not belong into a file; eight digits are enough for the sets of one test.
    """

    __test__ = False

    test: str
    parameters: str = ""

    @classmethod
    def of(cls, node_id: str) -> TestKey:
        """Return the key of a node id."""
        test = without_parameters(node_id)
        parameters = node_id[len(test) :]
        return cls(test, blake2b(parameters.encode(), digest_size=4).hexdigest() if parameters else "")


@dataclass(frozen=True, slots=True)
class CountEntry:
    """The statements of one test in one scope.

    Attributes:
        key: The test.
        scope: "call" for the test itself, or a web request such as "GET /orders/{}".
        statements: (shape id, number) in the order of ids.
    """

    key: TestKey
    scope: str
    statements: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, key: TestKey, scope: str, statements: Statements) -> CountEntry:
        """Return the entry for counts by shape id; what is zero is left out."""
        return cls(key, scope, tuple(sorted((shape, count) for shape, count in statements.items() if count)))

    @property
    def total(self) -> int:
        """Number of statements."""
        return sum(count for _, count in self.statements)

    @property
    def order(self) -> tuple[TestKey, bool, str]:
        """The sort key: by test, the test's own statements before those of its requests."""
        return (self.key, self.scope != "call", self.scope)

    def merged(self, other: CountEntry) -> CountEntry:
        """Return one of two entries that a merge of branches left behind: the larger, which accepts what both ran."""
        return max(self, other, key=lambda entry: (entry.total, entry.statements))


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of all tests, sorted, one entry for each test and scope that runs statements.

    Attributes:
        entries: The counts.
        texts: (shape id, short text) for the shapes that the entries name, in the order of ids; not all must be known.
    """

    entries: tuple[CountEntry, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    _by_test: Mapping[TestKey, Mapping[str, CountEntry]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        merged: dict[tuple[TestKey, str], CountEntry] = {}
        for entry in self.entries:
            place = (entry.key, entry.scope)
            merged[place] = merged[place].merged(entry) if place in merged else entry
        in_order = tuple(sorted((entry for entry in merged.values() if entry.total), key=lambda entry: entry.order))
        by_test: dict[TestKey, dict[str, CountEntry]] = {}
        for entry in in_order:
            by_test.setdefault(entry.key, {})[entry.scope] = entry
        named = {shape for entry in in_order for shape, _ in entry.statements}
        # of two texts for one shape, as another version may have cut it, the same one is kept in every order
        texts: dict[str, str] = {}
        for shape, text in self.texts:
            if shape in named:
                texts[shape] = min(text, texts.get(shape, text))
        object.__setattr__(self, "entries", in_order)
        object.__setattr__(self, "texts", tuple(sorted(texts.items())))
        object.__setattr__(self, "_by_test", by_test)

    @property
    def tests(self) -> frozenset[TestKey]:
        """The tests that have counts."""
        return frozenset(self._by_test)

    def of(self, key: TestKey) -> Mapping[str, CountEntry]:
        """Return the entries of a test by scope; none for a test that is not known."""
        return self._by_test.get(key, {})

    def updated(self, counted: Iterable[CountEntry], finished: Collection[TestKey], texts: Mapping[str, str]) -> Counts:
        """Return counts that say what these tests ran, and of other tests what they said before.

        Args:
            counted: What the tests ran.
            finished: The tests that ran to their end and were counted, those without a statement too.
            texts: Short texts of shapes by id; a text that is known already stays as it is.
        """
        others = tuple(entry for entry in self.entries if entry.key not in finished)
        own = tuple(entry for entry in counted if entry.key in finished)
        return Counts(others + own, tuple({**texts, **dict(self.texts)}.items()))

    def gone(self, suite: Collection[TestKey]) -> frozenset[TestKey]:
        """Return the tests that are not in the suite any more."""
        return self.tests.difference(suite)

    def without(self, tests: Collection[TestKey]) -> Counts:
        """Return the counts of all other tests."""
        return replace(self, entries=tuple(entry for entry in self.entries if entry.key not in tests))
