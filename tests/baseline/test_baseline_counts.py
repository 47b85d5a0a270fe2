"""The counts in the baseline: bytes, merges and updates, as properties over many runs."""

from __future__ import annotations

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.baseline.counts import CountEntry, Counts, TestKey
from pytest_dbguard.baseline.document import to_text
from pytest_dbguard.baseline.file import line_numbers, read_baseline, write_baseline
from pytest_dbguard.baseline.model import Baseline, Entry
from pytest_dbguard.core.errors import BaselineError

SHAPES = [f"{number:012x}" for number in range(6)]
TESTS = [f"tests/test_{name}.py::test_{name}" for name in "abcd"]
NODE_IDS = [*TESTS, *(f"{test}[{parameter}]" for test in TESTS[:2] for parameter in ("secret-1", "größe", "a[0]"))]
STATEMENTS = st.dictionaries(st.sampled_from(SHAPES), st.integers(1, 60), min_size=1)
ENTRIES = st.builds(
    CountEntry.of,
    st.sampled_from(NODE_IDS).map(TestKey.of),
    st.sampled_from(["call", "GET /orders", "POST /orders/{}"]),
    STATEMENTS,
)
TEXTS = st.dictionaries(st.sampled_from(SHAPES), st.text(max_size=20))
COUNTS = st.builds(
    lambda entries, texts: Counts(tuple(entries), tuple(texts.items())), st.lists(ENTRIES, max_size=12), TEXTS
)
# what each test of a suite runs
SUITES = st.dictionaries(
    st.sampled_from(NODE_IDS), st.dictionaries(st.sampled_from(["call", "GET /orders"]), STATEMENTS), min_size=1
)


def entry(test="tests/test_a.py::test_a", scope="call", **statements):
    return CountEntry.of(TestKey.of(test), scope, statements)


def run(suite, tests):
    """Return what a run of these tests counts, and which they are."""
    keys = {test: TestKey.of(test) for test in tests}
    counted = [CountEntry.of(keys[test], scope, st) for test in tests for scope, st in suite.get(test, {}).items()]
    return counted, frozenset(keys.values())


def updated(counts, suite, tests):
    return counts.updated(*run(suite, tests), dict.fromkeys(SHAPES, "SELECT"))


def text(counts):
    return to_text(Baseline(counts=counts))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "dbguard-baseline.json"


@given(COUNTS)
def test_reading_gives_what_was_written(tmp_path_factory, counts):
    path = tmp_path_factory.mktemp("baseline") / "b.json"
    write_baseline(path, Baseline(counts=counts))
    again = read_baseline(path)
    assert again.counts == counts
    assert to_text(again).encode() == path.read_bytes()
    assert sum(line.startswith('    {"test"') for line in path.read_text("utf-8").split("\n")) == len(counts.entries)


@given(st.lists(ENTRIES, max_size=12), TEXTS, st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_no_byte(entries, texts, random):
    shuffled = random.sample(entries, len(entries)), random.sample(list(texts.items()), len(texts))
    assert text(Counts(*map(tuple, shuffled))) == text(Counts(tuple(entries), tuple(texts.items())))


@given(COUNTS, COUNTS)
def test_lines_of_merged_branches_accept_what_either_did(ours, theirs):
    merged = Counts(ours.entries + theirs.entries, ours.texts + theirs.texts)
    assert merged == Counts(theirs.entries + ours.entries, theirs.texts + ours.texts)
    assert merged == Counts(merged.entries + merged.entries, merged.texts)
    for each in (*ours.entries, *theirs.entries):
        assert merged.of(each.key)[each.scope].total >= each.total
    for each in merged.entries:
        assert each in ours.entries + theirs.entries


@given(COUNTS)
def test_no_shape_is_told_that_no_test_runs(counts):
    assert {shape for shape, _ in counts.texts} <= {shape for each in counts.entries for shape, _ in each.statements}


@given(SUITES, SUITES)
def test_an_update_says_what_a_full_run_showed(before, after):
    accepted = updated(Counts(), before, before)
    assert updated(accepted, after, [*before, *after]) == updated(Counts(), after, after)


@given(SUITES, SUITES, st.sets(st.sampled_from(NODE_IDS)))
def test_a_partial_update_leaves_other_tests_alone(before, after, part):
    accepted = updated(Counts(), before, before)
    changed = updated(accepted, after, part)
    ran = {TestKey.of(test) for test in part}
    assert [e for e in changed.entries if e.key not in ran] == [e for e in accepted.entries if e.key not in ran]
    assert updated(changed, before, part) == accepted or not part <= before.keys()


@given(SUITES, st.randoms(use_true_random=False))
def test_parts_in_any_order_make_the_same_bytes_as_one_run(suite, random):
    whole = updated(Counts(), suite, suite)
    counts = Counts()
    for test in random.sample(list(suite), len(suite)):
        counts = updated(counts, suite, [test])
    assert text(counts) == text(whole)


@given(SUITES, st.sets(st.sampled_from(NODE_IDS)))
def test_gone_tests_are_those_that_the_suite_lacks(suite, there):
    counts = updated(Counts(), suite, suite)
    keys = {TestKey.of(test) for test in there}
    gone = counts.gone(keys)
    assert gone == {each.key for each in counts.entries} - keys
    assert counts.without(gone).tests == counts.tests & keys


def test_parameters_never_stand_in_the_file():
    written = text(updated(Counts(), {"t.py::test[secret-1]": {"call": {SHAPES[0]: 1}}}, ["t.py::test[secret-1]"]))
    assert "secret" not in written
    (line,) = json.loads(written)["counts"]
    assert line == {
        "test": "t.py::test",
        "parameters": line["parameters"],
        "scope": "call",
        "statements": {SHAPES[0]: 1},
    }
    assert len(line["parameters"]) == 8


def test_sets_of_parameters_are_apart():
    keys = {TestKey.of(f"t.py::test[{number}]") for number in range(1000)} | {TestKey.of("t.py::test")}
    assert len(keys) == 1001
    assert {key.test for key in keys} == {"t.py::test"}


def test_a_known_text_stays_though_a_newer_version_cuts_it_otherwise():
    counts = Counts((entry(a=1),), (("a", "SELECT old"),))
    assert counts.updated([entry(a=2)], {entry().key}, {"a": "SELECT new"}).texts == (("a", "SELECT old"),)


def test_git_merges_updates_of_two_branches(tmp_path):
    names = [f"tests/test_{letter}.py::test_{letter}" for letter in "abcdefghi"]
    suite = {name: {"call": {SHAPES[0]: 3}} for name in names}
    base = updated(Counts(), suite, names)
    ours = updated(base, {names[1]: {"call": {SHAPES[0]: 9}}}, [names[1]])
    theirs = updated(base, {names[7]: {"call": {SHAPES[0]: 1}}}, [names[7]])
    for name, counts in (("ours", ours), ("base", base), ("theirs", theirs)):
        (tmp_path / name).write_text(text(counts))
    subprocess.run(["git", "merge-file", "ours", "base", "theirs"], cwd=tmp_path, check=True)
    totals = {each.key.test: each.total for each in read_baseline(tmp_path / "ours").counts.entries}
    assert totals == dict.fromkeys(names, 3) | {names[1]: 9, names[7]: 1}


def test_duplicates_that_a_merge_leaves_are_put_right(path):
    lines = [entry(a=2), entry(a=9), entry(a=4)]
    document = {"format": 2, "findings": [], "counts": [], "shapes": {"a": "SELECT 1"}}
    document["counts"] = [{"test": e.key.test, "scope": e.scope, "statements": dict(e.statements)} for e in lines]
    path.write_text(json.dumps(document))
    assert read_baseline(path).counts.entries == (entry(a=9),)


def test_line_numbers_find_each_entry(path):
    known = Entry("DBG101", "Order.lines", "shop.py", "f")
    counts = Counts((entry(a=1), entry(scope="GET /", a=1), entry("tests/test_b.py::test_b[x]", a=2)))
    write_baseline(path, Baseline((known,), counts))
    lines = path.read_text().split("\n")
    found = line_numbers(path)
    assert '"DBG101"' in lines[found[known.identity] - 1]
    assert '"scope": "call"' in lines[found[entry().key] - 1]
    assert '"parameters"' in lines[found[TestKey.of("tests/test_b.py::test_b[x]")] - 1]
    assert len(found) == 3


def test_line_numbers_of_no_file(path):
    assert line_numbers(path) == {}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"scope": "call", "statements": {}}, "counts[0].test: missing"),
        ({"test": "t", "scope": "call", "statements": {"a": 0}}, "counts[0].statements.a: input should be greater"),
        ({"test": "t", "scope": "call", "statement": {}}, "counts[0].statements: missing"),
        ({"test": "t", "skope": "call", "statements": {}}, "counts[0].scope: missing"),
    ],
)
def test_a_wrong_line(path, line, told):
    path.write_text(json.dumps({"format": 2, "findings": [], "counts": [line]}))
    with pytest.raises(BaselineError) as caught:
        read_baseline(path)
    assert told in caught.value.message


def test_an_unknown_key_names_the_nearest(path):
    line = {"test": "t", "scope": "call", "statements": {}, "parameter": "x"}
    path.write_text(json.dumps({"format": 2, "findings": [], "counts": [line]}))
    with pytest.raises(BaselineError, match=r"counts\[0\].parameter: unknown key, did you mean 'parameters'\?"):
        read_baseline(path)


def test_a_file_of_format_1_has_no_counts(path):
    path.write_text('{"format": 1, "findings": []}')
    assert read_baseline(path) == Baseline()
