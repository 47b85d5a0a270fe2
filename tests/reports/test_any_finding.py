"""Whatever a finding and a source hold, it is drawn within the width, and colour changes nothing but colour."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_dbguard.core.findings import (
    Certainty,
    Finding,
    Fix,
    PlanLine,
    PlanMark,
    Remedy,
    Severity,
    Shape,
    Site,
    Status,
)
from pytest_dbguard.core.verdict import BaselineState, Fault, RunTotals, Verdict
from pytest_dbguard.reports.base import ReportContext
from pytest_dbguard.reports.fitting import cells
from pytest_dbguard.reports.summary import concise_line
from pytest_dbguard.reports.terminal import TerminalReporter

ANSI = re.compile(r"\033\[[\d;]*m")
TEXTS = st.text(st.sampled_from("ab. (),`=?_'日é\u0301\t\n\033\u202e\u200b"), max_size=90)
COLUMNS = st.none() | st.integers(1, 150)
SITES = st.builds(
    Site,
    st.sampled_from(["a.py", "b/ü.py", "gone.py", ""]),
    st.integers(1, 6),
    COLUMNS,
    st.sampled_from(["", "f", "C.größe"]),
    st.none() | st.integers(1, 9),
    COLUMNS,
    st.booleans(),
)
FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from(["DBG101", "X1"]),
    name=st.sampled_from(["n-plus-one", "x"]),
    severity=st.sampled_from(Severity),
    subject=TEXTS,
    message=TEXTS,
    site=st.none() | SITES,
    origin=st.none() | SITES,
    loop=st.none() | SITES,
    certainty=st.sampled_from(Certainty),
    count=st.integers(0, 10**7),
    tests=st.lists(st.sampled_from(["t.py::a", "t.py::b[1]"]), unique=True).map(tuple),
    status=st.sampled_from(Status),
    in_test_code=st.booleans(),
    fix=st.none() | st.builds(Fix, TEXTS, st.just("") | st.just("a = select(B)\nb = c"), st.none() | SITES),
    proof=st.none() | TEXTS,
    shape=st.none() | st.builds(Shape, st.just("id"), TEXTS),
    evidence=st.lists(TEXTS, max_size=3).map(tuple),
    scope=st.sampled_from(["call", "setup", "GET /"]) | TEXTS,
    basis=TEXTS,
    plan=st.lists(st.builds(PlanLine, st.integers(0, 99), TEXTS, st.sampled_from(PlanMark)), max_size=20).map(tuple),
    remedies=st.lists(
        st.builds(Remedy, st.sampled_from(["sql", "alembic"]), st.just("") | st.just("f(a)\n# why")), max_size=2
    ).map(tuple),
)
VERDICTS = st.builds(
    Verdict,
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    test_findings=st.lists(FINDINGS, max_size=2).map(tuple),
    totals=st.builds(RunTotals, st.integers(0, 10**6), st.integers(0, 10**9), st.integers(0, 999), st.floats(0, 10**9)),
    baseline=st.builds(
        BaselineState, st.just("b.json"), st.integers(0, 9), st.integers(0, 3), st.booleans(), *[st.integers(0, 3)] * 3
    ),
    fail_on=st.none() | st.sampled_from(Severity),
    ignored=st.integers(0, 2),
    faults=st.lists(st.builds(Fault, st.just("rule X1"), TEXTS), max_size=2).map(tuple),
)
LINES = st.lists(st.text(st.sampled_from("ab (=.\t日é\u0301\x0c"), max_size=130), max_size=6)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("sources")


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(VERDICTS, LINES, st.integers(44, 150), st.sampled_from([-1, 0, 1]))
def test_any_verdict_is_drawn(root, verdict, lines, width, verbosity):
    (root / "a.py").write_text("\n".join(lines), encoding="utf-8")
    plain = TerminalReporter().render(verdict, ReportContext(root, width, False, verbosity))
    assert ANSI.sub("", TerminalReporter().render(verdict, ReportContext(root, width, True, verbosity))) == plain
    assert "\033" not in plain
    assert plain.endswith("\n")
    assert not plain.startswith("\n")
    if verbosity >= 0:
        wide = [line for line in plain.split("\n") if cells(line) > width]
        # what programs read, a line a finding, is not broken
        unbroken = {concise_line(finding) for finding in verdict.findings}
        assert all(line.startswith("dbguard: ") or line in unbroken for line in wide)
