"""The terminal report as people see it, compared with the files in `golden/`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_dbguard.core.findings import Severity, Site, Status
from pytest_dbguard.core.verdict import BaselineState, Fault, RunTotals, Verdict
from pytest_dbguard.reports.fitting import cells
from pytest_dbguard.reports.terminal import MAX_BLOCKS, TerminalReporter

GOLDEN = Path(__file__).parent / "golden"
ANSI = re.compile(r"\033\[[\d;]*m")
CLEAN = "dbguard: 142 tests, 1 893 queries, no new findings (14 in the baseline).\n"


def render(verdict, context):
    return TerminalReporter().render(verdict, context)


def golden(name):
    return (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.fixture
def clean_verdict(findings):
    known = tuple(findings.in_loop(subject=f"table{n}", status=Status.KNOWN) for n in range(14))
    return Verdict(known, totals=RunTotals(142, 1893, 211), baseline=BaselineState("dbguard-baseline.json", 14))


@pytest.mark.parametrize(
    ("name", "width", "verbosity"),
    [("full_80", 80, 0), ("full_40", 40, 0), ("full_140", 140, 0), ("verbose_80", 80, 1), ("quiet_80", 80, -1)],
)
def test_the_whole_report(make_verdict, context, name, width, verbosity):
    assert render(make_verdict(), context(width, verbosity)) == golden(name)


def test_colour_is_added_and_nothing_else(make_verdict, context):
    colored = render(make_verdict(), context(80, 1, color=True))
    assert ANSI.sub("", colored) == golden("verbose_80")
    assert colored.startswith("\033[1;31merror[DBG101]\033[0m\033[1m n-plus-one: ")
    assert "\033[1;31m^^^^^^^^^^^ 40 queries\033[0m" in colored
    assert "\033[1;33mwarning[DBG103]\033[0m" in colored
    assert "\033[2mknown\033[0m" in colored
    assert all(line.count("\033[0m") * 2 == line.count("\033[") for line in colored.split("\n"))


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_no_line_is_wider_but_for_paths_and_code(make_verdict, context, width):
    wide = [line for line in render(make_verdict(), context(width)).split("\n") if cells(line) > width]
    assert all(re.search(r"tests/test_\w+\.py::|selectinload\(Order\.lines\)", line) for line in wide)
    assert not wide or width < 60


def test_without_sources_all_places_are_still_named(make_verdict, context, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    text = render(make_verdict(), replace(context(), root=empty))
    assert text == golden("no_sources_80")


def test_a_clean_run_is_one_line(clean_verdict, context):
    assert render(clean_verdict, context()) == CLEAN
    assert render(clean_verdict, context(40)) == CLEAN
    assert render(clean_verdict, context(verbosity=-1)) == CLEAN
    assert render(clean_verdict, context(color=True)) == f"\033[32m{CLEAN[:-1]}\033[0m\n"


def test_a_clean_run_without_a_baseline(context):
    assert render(Verdict(), context()) == "dbguard: 0 tests, 0 queries, no new findings.\n"


def test_a_clean_run_with_more_to_know(clean_verdict, context, findings):
    verdict = replace(
        clean_verdict,
        test_findings=(findings.in_loop(), findings.in_loop()),
        baseline=BaselineState("dbguard-baseline.json", 14, 2, updated=True, counted=1893),
        ignored=1,
    )
    assert render(verdict, context()).split("\n") == [
        "dbguard: 142 tests, 1 893 queries, no new findings (14 in the baseline, 1 ignored).",
        "2 findings about test code: --dbguard-test-code=report shows them.",
        "dbguard-baseline.json now accepts 14 findings and counts of 1 893 tests: commit",
        "it.",
        "2 baseline entries no longer occur: run with --dbguard-prune-baseline to drop",
        "what is gone.",
        "",
    ]


@pytest.mark.parametrize(
    ("improved", "told"),
    [
        (1, "1 test runs fewer queries than the baseline says (-1 041): run with"),
        (3, "3 tests run fewer queries than the baseline says (-1 041): run with"),
    ],
)
def test_improvements_are_told(clean_verdict, context, improved, told):
    verdict = replace(clean_verdict, baseline=BaselineState("dbguard-baseline.json", 14, improved=improved, saved=1041))
    lines = render(verdict, context()).split("\n")
    assert lines[1:] == [told, "--dbguard-update-baseline to keep that.", ""]


def test_verbose_shows_what_is_known(clean_verdict, context):
    text = render(clean_verdict, context(verbosity=1))
    assert text.count("warning[DBG103]") == 14
    assert text.count(" known\n") == 14
    assert text.endswith(CLEAN)


def test_notes_are_shown_though_they_do_not_fail_the_run(context, findings):
    verdict = Verdict((findings.n_plus_one(severity=Severity.NOTE),), baseline=BaselineState("b.json"))
    text = render(verdict, context())
    assert text.splitlines()[0] == "1 note, one line each (-v shows all in full):"
    assert " DBG101 n-plus-one: " in text.splitlines()[1]
    assert render(verdict, context(verbosity=1)).startswith("note[DBG101] n-plus-one: ")
    assert "--dbguard-update-baseline" not in text


def test_a_fault_alone_is_told(context):
    verdict = Verdict(faults=(Fault("rule DBG101", "KeyError: 'x'"), Fault("rule DBG103", "E: y")))
    assert render(verdict, context(140)).split("\n") == [
        "0 tests ran 0 queries (0 shapes) in 0.0 ms.",
        "dbguard: 0 tests, 0 queries, no new findings.",
        "dbguard itself failed 2 times: rule DBG101: KeyError: 'x', and 1 other error "
        "(the results of your tests are not affected)",
        "",
    ]


def test_hundreds_of_findings_are_not_all_drawn(context, findings):
    verdict = Verdict(
        tuple(findings.over_budget(subject=f"s{n}", tests=(f"t.py::t{n}",)) for n in range(MAX_BLOCKS + 2))
    )
    text = render(verdict, context())
    assert text.count("warning[DBG901]") == MAX_BLOCKS
    assert "\n2 more findings, one line each (-v shows all in full):\nt.py::t50: DBG901 query-budget: 9 queries" in text
    assert render(verdict, context(verbosity=1)).count("warning[DBG901]") == MAX_BLOCKS + 2


def test_a_loop_far_above_is_drawn_apart(context, findings, shop):
    (shop / "shop" / "long.py").write_text(
        "for a in b:\n" + "    pass\n" * 5 + "    run(a)\n" + "    pass\n" * 20 + "    run(a)\n"
    )
    near = findings.n_plus_one(site=Site("shop/long.py", 7, 5, "", 7, 8), loop=Site("shop/long.py", 1), origin=None)
    text = render(Verdict((near,)), context())
    assert "\n 1 | for a in b:\n..\n 7 |     run(a)\n   |     ^^^ 40 queries\n" in text
    assert "= loop:   shop/long.py:1\n   = " in text
    far = replace(near, site=Site("shop/long.py", 28, 5, "", 28, 8))
    assert "\n27 |     pass\n28 |     run(a)\n" in render(Verdict((far,)), context())
    assert "= loop:   shop/long.py:1\n             for a in b:\n" in render(Verdict((far,)), context())


def test_texts_cannot_steer_the_terminal(context, findings, shop):
    (shop / "shop" / "evil.py").write_text("x = '\033[2J\a'\n")
    evil = findings.n_plus_one(
        message="a\033[2Jb\nc",
        site=Site("shop/evil.py", 1, 1, "f\033]0;t\a", 1, 2),
        evidence=("\033[H",),
        tests=("\033c",),
    )
    for verbosity in (-1, 0, 1):
        text = render(Verdict((evil,)), context(verbosity=verbosity))
        assert not set(text) & {"\033", "\a", "\r"}


def test_proof_and_test_code_are_told(context, findings):
    text = render(Verdict((findings.n_plus_one(proof="51 queries become 2", in_test_code=True),)), context())
    assert "   = note:   the cause lies in test code\n" in text
    assert "   = proof:  51 queries become 2\n   = more:   dbguard explain DBG101\n" in text
