"""The short forms of a verdict: the line for a banner, one line a finding, the line of a run without findings."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_dbguard.core.findings import Certainty, Finding
from pytest_dbguard.core.verdict import RunTotals, Verdict
from pytest_dbguard.reports.fitting import cells, one_line, wrap
from pytest_dbguard.reports.wording import counted, duration, number, position, queries, severities


def summary_line(verdict: Verdict) -> str:
    """Return why the run fails: `dbguard: 3 new findings (2 errors, 1 warning), fail-on=warning`."""
    failing = verdict.failing
    if failing:
        return f"dbguard: {counted(len(failing), 'new finding')} ({severities(failing)}), fail-on={verdict.fail_on}"
    if verdict.faults:
        return f"dbguard itself failed {times(len(verdict.faults))}"
    return "dbguard: no new findings"


def short_lines(verdict: Verdict) -> list[str]:
    """Return a line for each finding that fails the run, for the end of the output.

    `DBGUARD shop/views/orders.py:58 DBG101 n-plus-one (40 queries)`
    """
    return [
        one_line(f"DBGUARD {where(f, with_column=False)} {f.rule} {f.name} ({_measure(f)})") for f in verdict.failing
    ]


def concise_line(finding: Finding) -> str:
    """Return `shop/views.py:58:37: DBG101 n-plus-one: message`."""
    likely = " (likely)" if finding.certainty is Certainty.LIKELY else ""
    return one_line(f"{where(finding)}: {finding.rule} {finding.name}{likely}: {finding.message}")


def where(finding: Finding, *, with_column: bool = True) -> str:
    """Return a finding's place, else the test that shows it, else its subject."""
    if finding.place is not None:
        return position(finding.place) if with_column else finding.place.label
    return finding.tests[0] if finding.tests else finding.subject


def clean_line(verdict: Verdict) -> str:
    """Return `dbguard: 142 tests, 1 893 queries, no new findings (14 in the baseline).`; of sources what they hold."""
    asides = []
    if verdict.known:
        asides.append(f"{number(len(verdict.known))} in the baseline")
    if verdict.ignored:
        asides.append(f"{number(verdict.ignored)} ignored")
    aside = f" ({', '.join(asides)})" if asides else ""
    totals = verdict.totals
    if totals.files is not None:
        found = "no findings" if verdict.baseline.path is None else "no new findings"
        return f"dbguard: {', '.join((*_places(totals), *_held(totals)))}, {found}{aside}."
    return f"dbguard: {counted(totals.tests, 'test')}, {queries(totals.statements)}, no new findings{aside}."


def totals_lines(totals: RunTotals, width: int) -> list[str]:
    """Return `142 tests ran 1 893 queries (211 shapes) in 4.2 s.  slowest 212 ms shop/report.py:41`.

    Of sources `141 statements (80 shapes), 2 migrations, 14 tables in 12 files.`
    """
    shapes = counted(totals.shapes, "shape")
    if totals.files is not None:
        places = f" in {counted(totals.files, 'file')}" if totals.files else ""
        return wrap(f"{', '.join(_held(totals, f' ({shapes})'))}{places}.", width)
    ran = (
        f"{counted(totals.tests, 'test')} ran {queries(totals.statements)} ({shapes}) in {duration(totals.elapsed_ms)}."
    )
    slowest = totals.slowest
    if slowest is None:
        return wrap(ran, width)
    told = f"slowest {duration(slowest.elapsed_ms)}" + (f" {slowest.site.label}" if slowest.site else "")
    if cells(ran) + 2 + cells(told) <= width:
        return [f"{ran}  {told}"]
    return [*wrap(ran, width), *wrap(told, width, break_words=False)]


def _places(totals: RunTotals) -> tuple[str, ...]:
    """Return how many files were read; nothing where there was something else to look at, such as models."""
    others = totals.statements or totals.tables
    return (counted(totals.files, "file"),) if totals.files else () if others else ("0 files",)


def _held(totals: RunTotals, shapes: str = "") -> Iterator[str]:
    """Yield what was looked at: statements, how many of them are the tests' own, migrations, tables."""
    if totals.statements or not (totals.migrations or totals.tables):
        yield counted(totals.statements, "statement") + shapes
    if totals.by_tests:
        yield f"{number(totals.by_tests)} of them by test code only"
    if totals.migrations:
        yield counted(totals.migrations, "migration")
    if totals.tables:
        yield counted(totals.tables, "table")


def fault_line(verdict: Verdict) -> str:
    """Return what failed in dbguard itself; "" when nothing did."""
    if not verdict.faults:
        return ""
    first = verdict.faults[0]
    # the first line only: below it, drivers and SQLAlchemy quote statements and values
    error = one_line(first.error.strip().partition("\n")[0])
    others = len({(fault.where, fault.error) for fault in verdict.faults}) - 1
    more = f", and {counted(others, 'other error')}" if others else ""
    failed = f"dbguard itself failed {times(len(verdict.faults))}: {first.where}: {error}{more}"
    return failed if verdict.totals.files is not None else f"{failed} (the results of your tests are not affected)"


def times(value: int) -> str:
    """Return `once`, `2 times`."""
    return "once" if value == 1 else f"{number(value)} times"


def _measure(finding: Finding) -> str:
    return queries(finding.count) if finding.count > 1 else finding.subject
