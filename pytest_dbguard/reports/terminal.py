"""The report on the terminal: findings in full, worst first, then what else there is to know in a line each."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_dbguard.core.findings import Severity
from pytest_dbguard.core.verdict import Verdict
from pytest_dbguard.reports.base import ReportContext
from pytest_dbguard.reports.concise import concise_lines
from pytest_dbguard.reports.finding_block import Canvas, finding_block
from pytest_dbguard.reports.fitting import one_line, wrap
from pytest_dbguard.reports.planning_notes import planning_texts
from pytest_dbguard.reports.source import SourceReader
from pytest_dbguard.reports.style import Style
from pytest_dbguard.reports.summary import clean_line, concise_line, fault_line, short_lines, summary_line, totals_lines
from pytest_dbguard.reports.wording import counted, number

__all__ = ["TerminalReporter", "short_lines", "summary_line"]

# the first run on an old project may find hundreds; nobody reads more than this in full
MAX_BLOCKS = 50
MAX_NOTES = 10


class TerminalReporter:
    """What people read: in full by default, a line a finding with -q, what is known too with -v."""

    name = "term"
    title = "terminal"
    default_destination: str | None = None

    def render(self, verdict: Verdict, context: ReportContext) -> str:
        """Return the report; exactly one line when all is well."""
        if context.verbosity < 0:
            lines = concise_lines(verdict, context) or [_clean(verdict, context)]
            lines += wrap(_updated(verdict), context.width, break_words=False) if verdict.baseline.updated else []
        elif _shows_findings(verdict, context) or verdict.faults:
            lines = list(_full(verdict, context))
        else:
            lines = [_clean(verdict, context), *_notes(verdict, context)]
        return "\n".join([*lines, ""])


def _shows_findings(verdict: Verdict, context: ReportContext) -> bool:
    return bool(verdict.new or (context.verbosity > 0 and verdict.known))


def _full(verdict: Verdict, context: ReportContext) -> Iterator[str]:
    style = Style(context.color)
    yield from _blocks(verdict, context)
    notes = list(_notes(verdict, context))
    if notes:
        yield from (*notes, "")
    yield from totals_lines(verdict.totals, context.width)
    if not verdict.new:
        yield clean_line(verdict)
    yield from (style.paint(line, "red") for line in wrap(fault_line(verdict), context.width) if line)


def _blocks(verdict: Verdict, context: ReportContext) -> Iterator[str]:
    """Yield findings in full, each followed by an empty line; those beyond the limit and notes in one line each."""
    is_verbose = context.verbosity > 0
    failing = verdict.failing
    notes = [] if is_verbose else [f for f in verdict.new if f.severity is Severity.NOTE and f not in failing]
    shown = verdict.findings if is_verbose else tuple(f for f in verdict.new if f not in notes)
    limit = len(shown) if is_verbose else MAX_BLOCKS
    canvas = Canvas(SourceReader(context.root), Style(context.color), context.width, context.verbosity > 0)
    for finding in shown[:limit]:
        yield from (*finding_block(finding, canvas), "")
    if len(shown) > limit:
        more = counted(len(shown) - limit, "more finding")
        yield from wrap(f"{more}, one line each (-v shows all in full):", context.width)
        yield from (*map(concise_line, shown[limit:]), "")
    if notes:
        yield from wrap(f"{counted(len(notes), 'note')}, one line each (-v shows all in full):", context.width)
        yield from map(concise_line, notes[:MAX_NOTES])
        if len(notes) > MAX_NOTES:
            yield f"... and {counted(len(notes) - MAX_NOTES, 'more note')}"
        yield ""


def _clean(verdict: Verdict, context: ReportContext) -> str:
    return Style(context.color).paint(clean_line(verdict), "green")


def _notes(verdict: Verdict, context: ReportContext) -> Iterator[str]:
    for text in _note_texts(verdict, context):
        yield from wrap(text, context.width, break_words=False)
    for text in planning_texts(verdict, is_verbose=context.verbosity > 0):
        yield from wrap(one_line(text), context.width)
    if verdict.failing and verdict.baseline.path is not None:
        yield from wrap(
            f"To accept what is new, run again with {_flag(verdict, 'update-baseline')}.",
            context.width,
            break_words=False,
        )


def _note_texts(verdict: Verdict, context: ReportContext) -> Iterator[str]:
    """Yield what else there is to know, each with the next step."""
    baseline, known = verdict.baseline, len(verdict.known)
    if verdict.test_findings:
        found = counted(len(verdict.test_findings), "finding")
        shows = "shows it" if len(verdict.test_findings) == 1 else "shows them"
        how = "--dbguard-test-code=report" if verdict.totals.files is None else 'the setting test-code = "report"'
        yield f"{found} about test code: {how} {shows}."
    if known and verdict.new and context.verbosity <= 0:
        yield f"{counted(known, 'known finding')} {'is' if known == 1 else 'are'} in the baseline ({baseline.path})."
    if baseline.updated:
        yield _updated(verdict)
    if baseline.improved:
        runs = "1 test runs" if baseline.improved == 1 else f"{number(baseline.improved)} tests run"
        yield (
            f"{runs} fewer queries than the baseline says (-{number(baseline.saved)}): run with "
            "--dbguard-update-baseline to keep that."
        )
    if baseline.stale:
        occurs = "entry no longer occurs" if baseline.stale == 1 else "entries no longer occur"
        yield (f"{number(baseline.stale)} baseline {occurs}: run with --dbguard-prune-baseline to drop what is gone.")
    if verdict.ignored and verdict.new:
        by = "comments, markers or fixtures" if verdict.totals.files is None else "comments or settings"
        yield f"{counted(verdict.ignored, 'finding')} ignored by {by}."


def _flag(verdict: Verdict, name: str) -> str:
    """Return a flag as the command calls it that made the verdict."""
    return f"--dbguard-{name}" if verdict.totals.files is None else f"--{name}"


def _updated(verdict: Verdict) -> str:
    """Return what the baseline accepts since this run has written it."""
    baseline = verdict.baseline
    counts = f" and counts of {counted(baseline.counted, 'test')}" if baseline.counted else ""
    return f"{baseline.path} now accepts {counted(baseline.entries, 'finding')}{counts}: commit it."
