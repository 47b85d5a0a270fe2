"""Draws one finding in full: what is wrong, where, by which line it was caused, its plan, and what to change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_dbguard.core.findings import Certainty, Finding, Fix, Remedy, Site, Status
from pytest_dbguard.reports.excerpt import Excerpt, draw, excerpt_of
from pytest_dbguard.reports.fitting import ELLIPSIS, cells, cut, fit_query, one_line, pad, without_controls, wrap
from pytest_dbguard.reports.plan_block import plan_block
from pytest_dbguard.reports.python_code import fit_code
from pytest_dbguard.reports.source import SourceReader
from pytest_dbguard.reports.style import Style
from pytest_dbguard.reports.wording import position_in_function, queries

_KEY_CELLS = 8
_ORIGIN_LINES = 3
_QUERY_LINES = 2


@dataclass(frozen=True, slots=True)
class Canvas:
    """What drawing needs besides the finding."""

    reader: SourceReader
    style: Style
    width: int
    is_verbose: bool = False


def finding_block(finding: Finding, canvas: Canvas) -> list[str]:
    """Return the lines of a finding, none wider than the canvas except for paths and code that cannot be broken."""
    excerpt = excerpt_of(finding, canvas.reader)
    label = queries(finding.count) if finding.count > 1 else ""
    lines = [*_title(finding, canvas), *_arrow(finding, canvas, excerpt.gutter)]
    lines += draw(excerpt, label, finding.severity, canvas.style, canvas.width)
    details = _Details(canvas, excerpt.gutter)
    if excerpt.underline is None and label not in finding.message:
        details.add("count", label)
    _add_causes(details, finding, excerpt)
    _add_evidence(details, finding)
    _add_plan(details, finding)
    if finding.fix is not None:
        _add_fix(details, finding.fix)
    _add_remedies(details, finding.remedies, finding.fix)
    details.add("proof", finding.proof or "")
    details.add("more", f"dbguard explain {finding.rule}")
    return [*lines, *details.lines]


def _title(finding: Finding, canvas: Canvas) -> Iterator[str]:
    """Yield the heading, with the status at the right end of its first line."""
    style = canvas.style
    code = f"{finding.severity}[{finding.rule}]"
    likely = " (likely)" if finding.certainty is Certainty.LIKELY else ""
    tag = "NEW" if finding.status is Status.NEW else "known"
    text = one_line(f"{code} {finding.name}{likely}: {finding.message}")
    first, *rest = wrap(text, canvas.width - 2, first=canvas.width - len(tag) - 2)
    gap = max(canvas.width - cells(first) - len(tag), 2)
    painted = style.severity(first[: len(code)], finding.severity) + style.paint(first[len(code) :], "bold")
    yield f"{painted}{' ' * gap}{style.paint(tag, *(('bold', 'red') if tag == 'NEW' else ('dim',)))}"
    yield from (f"  {style.paint(line, 'bold')}" for line in rest)


def _arrow(finding: Finding, canvas: Canvas, gutter: int) -> Iterator[str]:
    """Yield `--> shop/views.py:58:37 in list_orders`, or the test where no application code is to blame."""
    if finding.place is not None:
        text = position_in_function(finding.place, with_column=True)
    elif finding.tests:
        text = finding.tests[0]
    else:
        return
    arrow = canvas.style.paint("-->", "blue")
    first, *rest = wrap(one_line(text), canvas.width - gutter - 4, break_words=False)
    yield f"{' ' * gutter}{arrow} {first}"
    yield from (f"{' ' * (gutter + 4)}{line}" for line in rest)


class _Details:
    """The lines `= key:  text` below an excerpt, aligned with its gutter."""

    def __init__(self, canvas: Canvas, gutter: int) -> None:
        self.lines: list[str] = []
        self.canvas = canvas
        self._before = " " * (gutter + 1)
        self._indent = " " * (gutter + 3 + _KEY_CELLS)
        self.room = canvas.width - len(self._indent)

    def add(self, key: str, text: str, *, break_words: bool = True) -> None:
        """Add one detail, wrapped; nothing for an empty text."""
        if text:
            self.add_lines(key, wrap(one_line(text), self.room, break_words=break_words))

    def add_lines(self, key: str, lines: list[str]) -> None:
        """Add one detail whose lines are broken already."""
        sign = self.canvas.style.paint("=", "blue")
        name = self.canvas.style.paint(pad(f"{key}:", _KEY_CELLS), "bold")
        if len(key) + 1 >= _KEY_CELLS:
            # a key that fills its column has its text below
            lines = ["", *lines]
        self.lines.append(f"{self._before}{sign} {name}{lines[0]}")
        self.lines += [f"{self._indent}{line}" for line in lines[1:]]

    def add_below(self, lines: list[str], *colors: str) -> None:
        """Add lines that belong to the detail before."""
        self.lines += [f"{self._indent}{self.canvas.style.paint(line, *colors)}".rstrip() for line in lines]


def _add_causes(details: _Details, finding: Finding, excerpt: Excerpt) -> None:
    """Add the two lines that can be changed to mend it: the query that loaded the parents, and the loop."""
    place = finding.place
    if finding.origin is not None and finding.origin != place:
        likely = " (likely)" if finding.certainty is Certainty.LIKELY else ""
        details.add("origin", position_in_function(finding.origin) + likely, break_words=False)
        details.add_below(_source(finding.origin, details, place, excerpt), "cyan")
    if finding.loop is not None and finding.loop != place:
        details.add("loop", position_in_function(finding.loop), break_words=False)
        details.add_below(_source(finding.loop, details, place, excerpt)[:1], "cyan")


def _source(site: Site, details: _Details, place: Site | None, excerpt: Excerpt) -> list[str]:
    """Return the code of a place, moved to the left; nothing where the excerpt shows it already."""
    if place is not None and place.file == site.file and excerpt.shows(site.line):
        return []
    found = details.canvas.reader.lines(site, limit=_ORIGIN_LINES)
    lines = [line for line in found if line.text.strip()]
    indent = min((line.indent for line in lines), default=0)
    shown = [line.text[indent:] for line in lines]
    if lines and (site.end_line or site.line) > lines[-1].number:
        shown[-1] += f" {ELLIPSIS}"
    return [cut(text, details.room) for text in shown]


def _add_evidence(details: _Details, finding: Finding) -> None:
    is_verbose = details.canvas.is_verbose
    for line in finding.evidence:
        details.add("note", line)
    if finding.in_test_code:
        details.add("note", "the cause lies in test code")
    if finding.shape is not None and is_verbose:
        details.add("query", finding.shape.text)
    elif finding.shape is not None:
        details.add_lines("query", _query(finding.shape.text, details.room))
    if finding.scope not in ("", "call"):
        details.add("scope", finding.scope)
    if len(finding.tests) > 1 and is_verbose:
        details.add_lines("tests", [one_line(test) for test in finding.tests])
    elif finding.tests and finding.place is not None:
        more = f" (and {len(finding.tests) - 1} more)" if len(finding.tests) > 1 else ""
        details.add("test", finding.tests[0] + more, break_words=False)


def _query(shape: str, room: int) -> list[str]:
    """Return a statement in a few lines, the middle left out where it takes more."""
    for width in range(_QUERY_LINES * room, 0, -4):
        lines = wrap(fit_query(shape, width), room)
        if len(lines) <= _QUERY_LINES:
            return lines
    return [fit_query(shape, room)]


def _add_plan(details: _Details, finding: Finding) -> None:
    canvas = details.canvas
    details.add("basis", finding.basis)
    if finding.plan:
        details.add_lines("plan", plan_block(finding.plan, canvas.style, details.room, is_verbose=canvas.is_verbose))


def _add_remedies(details: _Details, remedies: Iterable[Remedy], fix: Fix | None) -> None:
    """Add the change for each tool, but what the fix shows already."""
    for remedy in remedies:
        if remedy.code and (fix is None or remedy.code != fix.code):
            lines = [part for line in remedy.code.split("\n") for part in _code_lines(line, details.room)]
            details.add_lines(remedy.kind, [details.canvas.style.paint(line, "green") for line in lines])


def _code_lines(line: str, room: int) -> list[str]:
    """Return a line of code in several where it is too wide and can be broken; a comment can be everywhere."""
    clean = without_controls(line)
    if not clean.startswith("# "):
        return fit_code(clean, room)
    return [f"# {part}" for part in wrap(clean[2:], room - 2, break_words=False)]


def _add_fix(details: _Details, fix: Fix) -> None:
    place = f", at {fix.place.label}" if fix.place is not None else ""
    details.add("help", f"{fix.title}{place}", break_words=False)
    if fix.code:
        details.add_below([without_controls(line) for line in fit_code(fix.code, details.room)], "green")
