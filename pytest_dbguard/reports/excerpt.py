"""Draws source lines with their numbers, and carets with a few words under the place that matters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.reports.fitting import ELLIPSIS, cells, cut, tail
from pytest_dbguard.reports.source import SourceLine, SourceReader, Underline
from pytest_dbguard.reports.style import Style

# a loop that starts farther up is named by its place instead
MAX_LOOP_DISTANCE = 12
_MIN_LINE_NUMBER_CELLS = 2


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The lines shown above a place and the place's own; empty without a source."""

    lines: tuple[SourceLine, ...] = ()
    underline: Underline | None = None

    @property
    def gutter(self) -> int:
        """Cells that line numbers take."""
        return max([_MIN_LINE_NUMBER_CELLS, *(len(str(line.number)) for line in self.lines)])

    def shows(self, number: int) -> bool:
        """Return whether a line is in it."""
        return any(line.number == number for line in self.lines)


def excerpt_of(finding: Finding, reader: SourceReader) -> Excerpt:
    """Return the line of a finding's place, below the head of its loop or else the line before."""
    site = finding.place
    line = reader.line(site.file, site.line) if site else None
    if site is None or line is None:
        return Excerpt()
    loop = finding.loop
    if loop and loop.file == site.file and 0 < site.line - loop.line <= MAX_LOOP_DISTANCE:
        first = reader.line(site.file, loop.line)
    else:
        first = reader.line_before(site)
    lines = [each for each in (first, line) if each is not None]
    if first and line.number - first.number == 2 and (between := reader.line(site.file, first.number + 1)):
        lines.insert(1, between)
    return Excerpt(tuple(lines), reader.underline(site))


def draw(excerpt: Excerpt, label: str, severity: Severity, style: Style, width: int) -> Iterator[str]:
    """Yield the lines of an excerpt between two empty ones; `label` stands after the carets."""
    if not excerpt.lines:
        return
    gutter = excerpt.gutter
    empty = style.paint(" " * gutter + " |", "blue")
    room = max(width - gutter - 3, 10)
    lines, underline = _fitted(excerpt, room)
    yield empty
    previous = lines[0].number
    for line in lines:
        if line.number > previous + 1:
            yield style.paint("." * min(gutter, 3), "blue")
        previous = line.number
        number = style.paint(f"{line.number:>{gutter}} |", "blue")
        yield f"{number} {line.text}".rstrip()
    if underline is not None:
        for carets in _carets(underline, label, room):
            text = carets.lstrip()
            yield f"{empty} {' ' * (len(carets) - len(text))}{style.severity(text, severity)}"
    yield empty


def _carets(underline: Underline, label: str, room: int) -> Iterator[str]:
    carets = " " * underline.start + "^" * underline.length
    if not label or cells(carets) + 1 + cells(label) <= room:
        yield f"{carets} {label}".rstrip()
        return
    yield carets
    yield " " * max(min(underline.start, room - cells(label)), 0) + cut(label, room)


def _fitted(excerpt: Excerpt, room: int) -> tuple[list[SourceLine], Underline | None]:
    """Return the lines within `room` cells: common indentation goes first, then what is far from the carets."""
    lines, underline = list(excerpt.lines), excerpt.underline
    if any(cells(line.text) > room for line in lines):
        indent = min((line.indent for line in lines if line.text), default=0)
        lines = [replace(line, text=line.text[indent:]) for line in lines]
        underline = underline and Underline(underline.start - indent, underline.length)
    *above, last = lines
    last, underline = _slid(last, underline, room)
    return [*(replace(line, text=cut(line.text, room)) for line in above), last], underline


def _slid(line: SourceLine, underline: Underline | None, room: int) -> tuple[SourceLine, Underline | None]:
    """Return the part of a line that its carets stand under, their start always in it."""
    total = cells(line.text)
    if total <= room:
        return line, underline
    begin = 0
    if underline is not None:
        begin = min(underline.start - 1, underline.start + underline.length - room + 1)
    if underline is None or begin <= 0:
        shown, shift = cut(line.text, room), 0
    else:
        kept = tail(line.text, total - begin - 1)
        shown, shift = cut(ELLIPSIS + kept, room), total - cells(kept) - 1
    if underline is not None:
        start = underline.start - shift
        underline = Underline(start, max(min(underline.length, room - start), 1))
    return replace(line, text=shown), underline
