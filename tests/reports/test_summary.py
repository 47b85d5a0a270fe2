"""The short forms: the banner, the lines at the end, numbers and times."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.findings import Severity
from pytest_dbguard.core.verdict import Fault, RunTotals, Verdict
from pytest_dbguard.reports.summary import totals_lines
from pytest_dbguard.reports.terminal import short_lines, summary_line
from pytest_dbguard.reports.wording import counted, duration, number


def test_the_banner_counts_what_fails_the_run(findings):
    verdict = Verdict(
        (findings.n_plus_one(), findings.n_plus_one(), findings.in_loop(), findings.in_loop(severity=Severity.NOTE))
    )
    assert summary_line(verdict) == "dbguard: 3 new findings (2 errors, 1 warning), fail-on=warning"
    assert summary_line(Verdict((findings.n_plus_one(),), fail_on=Severity.ERROR)) == (
        "dbguard: 1 new finding (1 error), fail-on=error"
    )


def test_the_banner_without_findings(findings):
    fault = Fault("rule DBG101", "E: x")
    assert summary_line(Verdict(faults=(fault,))) == "dbguard itself failed once"
    assert summary_line(Verdict(faults=(fault, fault))) == "dbguard itself failed 2 times"
    assert summary_line(Verdict((findings.n_plus_one(),), fail_on=None)) == "dbguard: no new findings"


def test_short_lines(findings, make_verdict):
    verdict = make_verdict(findings=(*make_verdict().findings, findings.over_budget(count=1, severity=Severity.NOTE)))
    assert short_lines(verdict) == [
        "DBGUARD shop/views/orders.py:5 DBG101 n-plus-one (40 queries)",
        "DBGUARD shop/views/orders.py:10 DBG103 statement-in-loop (7 queries)",
        "DBGUARD tests/test_web.py::test_x DBG901 query-budget (9 queries)",
    ]
    assert short_lines(Verdict((findings.in_loop(count=1),)))[0].endswith("DBG103 statement-in-loop (country)")


@pytest.mark.parametrize(
    ("elapsed_ms", "text"),
    [
        (0, "0.0 ms"),
        (9.94, "9.9 ms"),
        (9.96, "10 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (4211, "4.2 s"),
        (99_940, "99.9 s"),
        (200_000, "3 min 20 s"),
    ],
)
def test_durations(elapsed_ms, text):
    assert duration(elapsed_ms) == text


def test_numbers():
    assert [number(n) for n in (0, 999, 1893, 1234567)] == ["0", "999", "1 893", "1 234 567"]
    assert [counted(n, "test") for n in (0, 1, 2)] == ["0 tests", "1 test", "2 tests"]


@pytest.mark.parametrize(
    ("totals", "line"),
    [
        (RunTotals(files=1, statements=2, shapes=1), "2 statements (1 shape) in 1 file."),
        (
            RunTotals(files=0, statements=9, shapes=8, by_tests=4),
            "9 statements (8 shapes), 4 of them by test code only.",
        ),
        (RunTotals(files=2, migrations=2), "2 migrations in 2 files."),
        (RunTotals(files=0, tables=14), "14 tables."),
    ],
)
def test_of_sources_what_was_looked_at_is_told(totals, line):
    assert totals_lines(totals, 80) == [line]
