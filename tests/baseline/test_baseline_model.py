"""What a baseline accepts, keeps and calls stale, as properties over many runs."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.baseline.document import to_text
from pytest_dbguard.baseline.model import Baseline, Entry
from pytest_dbguard.baseline.names import without_parameters
from pytest_dbguard.core.findings import Finding, Severity, Site, Status

TESTS = [f"tests/test_{name}.py::test_{name}" for name in "abcdefg"]


def make(rule="DBG101", subject="Order.lines", file="shop/a.py", function="f", line=1, origin=None, tests=(), **more):
    site = Site(file, line, 5, function)
    return Finding(rule, rule.lower(), Severity.ERROR, subject, "m", site, origin, tests=tuple(tests), **more)


def origin(line, *, file="shop/queries.py", in_test_code=False):
    return Site(file, line, in_test_code=in_test_code)


FINDINGS = st.builds(
    make,
    rule=st.sampled_from(["DBG101", "DBG103"]),
    subject=st.sampled_from(["Order.lines", "Order.customer", "größe"]),
    file=st.sampled_from(["shop/a.py", "shop/b c.py"]),
    function=st.sampled_from(["f", "g", ""]),
    line=st.integers(1, 6),
    origin=st.none() | st.builds(origin, st.integers(1, 3), in_test_code=st.booleans()),
    tests=st.sets(st.sampled_from(TESTS), min_size=1).map(sorted),
)
RUNS = st.lists(FINDINGS, max_size=12)
# what each test of a suite shows
SUITES = st.dictionaries(st.sampled_from(TESTS), st.lists(FINDINGS, max_size=4), min_size=1)


def run(suite, tests):
    """Return what a run of these tests shows."""
    return [replace(finding, tests=(test,)) for test in tests for finding in suite.get(test, ())]


def statuses(findings):
    return [finding.status for finding in findings]


@given(RUNS, RUNS)
def test_what_an_update_accepts_is_not_new(before, shown):
    baseline = Baseline().updated(before, TESTS).updated(shown, TESTS)
    assert set(statuses(baseline.apply(shown))) <= {Status.KNOWN}
    assert set(statuses(baseline.apply(before))) <= {Status.KNOWN}


@given(RUNS)
def test_all_is_new_without_a_baseline(shown):
    assert set(statuses(Baseline().apply(shown))) <= {Status.NEW}


@given(RUNS, RUNS, st.randoms(use_true_random=False))
def test_the_order_of_findings_changes_nothing(accepted, shown, random):
    baseline = Baseline().updated(accepted, TESTS)
    shuffled = random.sample(shown, len(shown))
    assert to_text(baseline.updated(shuffled, TESTS)) == to_text(baseline.updated(shown, TESTS))
    judged = {repr(replace(f, status=Status.NEW)): f.status for f in baseline.apply(shown)}
    assert {repr(replace(f, status=Status.NEW)): f.status for f in baseline.apply(shuffled)} == judged


@given(RUNS, RUNS, st.booleans())
def test_a_second_update_changes_no_byte(before, shown, prune):
    once = Baseline().updated(before, TESTS).updated(shown, TESTS, suite=TESTS, prune=prune)
    assert to_text(once.updated(shown, TESTS, suite=TESTS, prune=prune)) == to_text(once)


@given(RUNS, st.integers(1, 500))
def test_moved_lines_change_nothing(shown, distance):
    def move(finding):
        place, cause = finding.site, finding.origin
        moved = cause and replace(cause, line=cause.line + distance)
        return replace(finding, site=replace(place, line=place.line + distance, column=9), origin=moved)

    moved = [move(finding) for finding in shown]
    baseline = Baseline().updated(shown, TESTS)
    assert set(statuses(baseline.apply(moved))) <= {Status.KNOWN}
    assert to_text(baseline.updated(moved, TESTS)) == to_text(baseline)
    assert to_text(Baseline().updated(moved, TESTS)) == to_text(baseline)


@given(SUITES, st.sets(st.sampled_from(TESTS)), st.booleans())
def test_a_partial_run_loses_nothing(suite, part, prune):
    baseline = Baseline().updated(run(suite, suite), suite)
    fixed = {test: [] for test in suite}
    for after in (suite, fixed):
        updated = baseline.updated(run(after, part), part, prune=prune)
        assert set(statuses(updated.apply(run(suite, suite)))) <= {Status.KNOWN}
    assert to_text(baseline.updated(run(suite, part), part, prune=prune)) == to_text(baseline)


@given(SUITES, SUITES)
def test_pruning_a_full_run_leaves_what_the_run_shows(before, after):
    suite = before.keys() | after.keys()
    shown = run(after, suite)
    pruned = Baseline().updated(run(before, suite), suite).updated(shown, suite, suite=suite, prune=True)
    assert {(e.identity, e.places) for e in pruned.entries} == {
        (e.identity, e.places) for e in Baseline().updated(shown, suite).entries
    }
    assert not pruned.stale(shown, suite, suite=suite)


@given(SUITES, st.sampled_from(TESTS))
def test_a_skipped_test_holds_its_entries_back(suite, skipped):
    baseline = Baseline().updated(run(suite, suite), suite)
    ran = suite.keys() - {skipped}
    fixed = {test: [] for test in suite}
    for entry in baseline.stale(run(fixed, ran), ran, suite=suite.keys()):
        assert skipped not in entry.tests


@given(SUITES)
def test_without_pruning_nothing_is_removed(suite):
    baseline = Baseline().updated(run(suite, suite), suite)
    assert baseline.updated([], suite, suite=suite) == baseline
    assert len(baseline.stale([], suite, suite=suite)) == len(baseline.entries)


@given(RUNS, RUNS)
def test_entries_of_merged_branches_accept_what_either_did(ours, theirs):
    merged = Baseline(Baseline().updated(ours, TESTS).entries + Baseline().updated(theirs, TESTS).entries)
    assert set(statuses(merged.apply(ours)) + statuses(merged.apply(theirs))) <= {Status.KNOWN}
    assert len({entry.identity for entry in merged.entries}) == len(merged.entries)


def test_an_extra_place_of_an_identity_is_new():
    baseline = Baseline().updated([make(line=10), make(line=20)], TESTS)
    assert [entry.places for entry in baseline.entries] == [2]
    shown = [make(line=31), make(line=11), make(line=21)]
    assert statuses(baseline.apply(shown)) == [Status.NEW, Status.KNOWN, Status.KNOWN]


def test_a_second_query_that_feeds_the_same_line_is_new():
    baseline = Baseline().updated([make(origin=origin(3))], TESTS)
    shown = baseline.apply([make(origin=origin(3)), make(origin=origin(8))])
    assert statuses(shown) == [Status.KNOWN, Status.NEW]


def test_a_test_that_feeds_the_same_line_is_not_new():
    from_test = origin(3, file="tests/test_a.py", in_test_code=True)
    baseline = Baseline().updated([make(origin=from_test)], TESTS)
    other = replace(from_test, file="tests/test_b.py", line=9)
    assert statuses(baseline.apply([make(origin=from_test), make(origin=other)])) == [Status.KNOWN, Status.KNOWN]


def test_findings_without_a_place_have_an_identity_too():
    finding = Finding(
        "DBG901", "query-budget", Severity.ERROR, "tests/a.py::test_a", "m", tests=("tests/a.py::test_a",)
    )
    baseline = Baseline().updated([finding], TESTS)
    assert baseline.entries == (Entry("DBG901", "tests/a.py::test_a", "", "", places=1, tests=("tests/a.py::test_a",)),)
    assert statuses(baseline.apply([finding])) == [Status.KNOWN]


def test_witnesses_are_the_first_three_without_parameters():
    shown = [make(tests=[f"tests/t.py::test_{name}[secret::{name}]" for name in "edcba"])]
    assert Baseline().updated(shown, []).entries[0].tests == tuple(f"tests/t.py::test_{name}" for name in "abc")


def test_witnesses_stay_while_one_of_them_shows_the_finding():
    baseline = Baseline().updated([make(tests=TESTS[1:3])], TESTS)
    assert baseline.updated([make(tests=[*TESTS[:2], TESTS[5]])], TESTS) == baseline


def test_witnesses_stay_while_one_of_them_did_not_run():
    baseline = Baseline().updated([make(tests=TESTS[:1])], TESTS)
    assert baseline.updated([make(tests=TESTS[1:2])], TESTS[1:2]) == baseline


def test_witnesses_change_when_all_ran_or_are_gone_and_others_show_the_finding():
    baseline = Baseline().updated([make(tests=TESTS[:1])], TESTS)
    shown = [make(tests=TESTS[1:2])]
    assert baseline.updated(shown, TESTS).entries[0].tests == (TESTS[1],)
    assert baseline.updated(shown, TESTS[1:], suite=TESTS[1:]).entries[0].tests == (TESTS[1],)


def test_an_entry_whose_tests_are_gone_is_stale_in_a_full_run():
    baseline = Baseline().updated([make(tests=TESTS[:1])], TESTS)
    rest = TESTS[1:]
    assert baseline.stale([], rest) == ()
    assert baseline.stale([], rest, suite=rest) == baseline.entries


def test_an_entry_without_tests_is_judged_by_full_runs_only():
    baseline = Baseline((Entry("DBG101", "Order.lines", "shop/a.py", "f"),))
    assert baseline.stale([], TESTS) == ()
    assert baseline.stale([], TESTS, suite=TESTS) == baseline.entries


def test_pruning_lowers_the_number_of_places():
    baseline = Baseline().updated([make(line=1, tests=TESTS[:1]), make(line=2, tests=TESTS[:1])], TESTS)
    shown = [make(line=1, tests=TESTS[:1])]
    assert baseline.updated(shown, TESTS, suite=TESTS).entries[0].places == 2
    assert baseline.updated(shown, TESTS, suite=TESTS, prune=True).entries[0].places == 1


def test_node_ids_lose_their_parameters_only():
    assert without_parameters("tests/[odd] dir/t.py::TestA::test_b[x::y[1]]") == "tests/[odd] dir/t.py::TestA::test_b"
    assert without_parameters("tests/t.py") == "tests/t.py"
