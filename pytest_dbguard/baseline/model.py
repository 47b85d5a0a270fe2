"""What is accepted: entries that know findings by an identity without line numbers, and how they meet a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from pytest_dbguard.baseline.counts import Counts
from pytest_dbguard.baseline.names import without_parameters
from pytest_dbguard.baseline.plans import Plans
from pytest_dbguard.core.findings import Finding, Status

Identity = tuple[str, str, str, str]
PlaceKey = tuple[int, str, int]

# Enough to find a test that shows the finding again; all of them would make a finding in shared code change its line
# in the file with every test that is written.
MAX_WITNESSES = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted identity.

    Attributes:
        rule: Code of the rule.
        subject: What the finding is about.
        file: File of the finding's place, "" where it has none.
        function: Function of the finding's place.
        places: How many distinct places of this identity are accepted.
        tests: Up to three tests that showed it when it was accepted, sorted, without their parameters.
    """

    rule: str
    subject: str
    file: str
    function: str
    places: int = 1
    tests: tuple[str, ...] = ()

    @property
    def identity(self) -> Identity:
        """What `Finding.identity` is compared with."""
        return (self.rule, self.subject, self.file, self.function)

    @property
    def reading_order(self) -> Identity:
        """The sort key: what lies together in the code lies together in the file."""
        return (self.file, self.function, self.rule, self.subject)

    def merged(self, other: Entry) -> Entry:
        """Return one entry for two of the same identity, as a merge of two branches leaves behind."""
        tests = sorted({*self.tests, *other.tests})[:MAX_WITNESSES]
        return replace(self, places=max(self.places, other.places), tests=tuple(tests))


@dataclass(frozen=True, slots=True)
class Baseline:
    """All that is accepted: findings, sorted, one entry for each identity, what each test runs, and plans."""

    entries: tuple[Entry, ...] = ()
    counts: Counts = field(default_factory=Counts)
    plans: Plans = field(default_factory=Plans)

    def __post_init__(self) -> None:
        merged: dict[Identity, Entry] = {}
        for entry in self.entries:
            known = merged.get(entry.identity)
            merged[entry.identity] = entry if known is None else known.merged(entry)
        in_order = tuple(sorted(merged.values(), key=lambda entry: entry.reading_order))
        object.__setattr__(self, "entries", in_order)

    def apply(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return the findings, in their order, as new or known.

        Where an identity shows more distinct places than are accepted, the last ones by line are new.
        """
        given = tuple(findings)
        places = {entry.identity: entry.places for entry in self.entries}
        accepted = {
            identity: sorted(shown.places)[: places.get(identity, 0)] for identity, shown in _shown(given).items()
        }
        return tuple(
            finding.with_status(Status.KNOWN if _place_key(finding) in accepted[finding.identity] else Status.NEW)
            for finding in given
        )

    def stale(
        self, findings: Iterable[Finding], ran_tests: Collection[str], *, suite: Collection[str] | None = None
    ) -> tuple[Entry, ...]:
        """Return the entries that the tests which showed them no longer show.

        Args:
            findings: All that the run showed.
            ran_tests: Node ids of the tests that ran to their end.
            suite: Node ids of all tests there are, when nothing was deselected; None for a partial run. Tells tests
                that are gone, which hold no entry back, from tests that did not run, which do.
        """
        shown = {finding.identity for finding in findings}
        run = _Run.of(ran_tests, suite)
        return tuple(entry for entry in self.entries if entry.identity not in shown and run.judges(entry))

    def updated(
        self,
        findings: Iterable[Finding],
        ran_tests: Collection[str],
        *,
        suite: Collection[str] | None = None,
        prune: bool = False,
    ) -> Baseline:
        """Return a baseline that accepts all these findings and keeps what other tests may show; counts and plans stay.

        Args:
            findings: All that the run showed.
            ran_tests: Node ids of the tests that ran to their end.
            suite: As in `stale`.
            prune: Remove what no longer occurs. A partial run removes nothing all the same: a test that did not run
                may show the entry, whether it is one of the entry's own tests or not.
        """
        given = tuple(findings)
        run = _Run.of(ran_tests, suite)
        is_pruned = prune and suite is not None
        stale = frozenset(self.stale(given, ran_tests, suite=suite)) if is_pruned else frozenset()
        entries = {entry.identity: entry for entry in self.entries if entry not in stale}
        for identity, shown in _shown(given).items():
            entries[identity] = shown.accepted(identity, entries.get(identity), run, is_pruned=is_pruned)
        return replace(self, entries=tuple(entries.values()))


@dataclass(frozen=True, slots=True)
class _Run:
    """Which tests ran to their end, and which tests there are; without their parameters."""

    ran: frozenset[str]
    suite: frozenset[str] | None

    @classmethod
    def of(cls, ran_tests: Collection[str], suite: Collection[str] | None) -> _Run:
        names = None if suite is None else frozenset(map(without_parameters, suite))
        return cls(frozenset(map(without_parameters, ran_tests)), names)

    def judges(self, entry: Entry) -> bool:
        """Return whether none of the entry's tests was left out; without tests of its own, only a full run judges."""
        if not entry.tests:
            return self.suite is not None
        return not any(map(self._left_out, entry.tests))

    def _left_out(self, test: str) -> bool:
        return test not in self.ran and (self.suite is None or test in self.suite)


@dataclass(slots=True)
class _Shown:
    """What a run showed of one identity."""

    places: set[PlaceKey] = field(default_factory=set)
    tests: set[str] = field(default_factory=set)

    def accepted(self, identity: Identity, old: Entry | None, run: _Run, *, is_pruned: bool) -> Entry:
        """Return the entry that accepts it. The line of an old entry changes only where it must."""
        witnesses = tuple(sorted(self.tests)[:MAX_WITNESSES])
        if old is None:
            return Entry(*identity, places=len(self.places), tests=witnesses)
        places = len(self.places) if is_pruned and run.judges(old) else max(old.places, len(self.places))
        still_good = not self.tests or not self.tests.isdisjoint(old.tests) or (old.tests and not run.judges(old))
        return replace(old, places=places, tests=old.tests if still_good else witnesses)


def _shown(findings: Iterable[Finding]) -> dict[Identity, _Shown]:
    shown: dict[Identity, _Shown] = {}
    for finding in findings:
        of_identity = shown.setdefault(finding.identity, _Shown())
        of_identity.places.add(_place_key(finding))
        of_identity.tests.update(map(without_parameters, finding.tests))
    return shown


def _place_key(finding: Finding) -> PlaceKey:
    """Return what makes a place distinct within an identity: its line, and the application line that causes it.

    A second query that feeds the same access is a defect of its own. A test that feeds it is not: else every new test
    would bring a new finding about old code.
    """
    line = finding.place.line if finding.place else 0
    cause = finding.origin or finding.loop
    if cause is None or cause.in_test_code:
        return (line, "", 0)
    return (line, cause.file, cause.line)
