"""Reads the source lines of places, and where the carets go under them."""

from __future__ import annotations

import tokenize
from dataclasses import dataclass, field
from pathlib import Path

from pytest_dbguard.core.findings import Site
from pytest_dbguard.reports.fitting import cells, without_controls

TAB_CELLS = 4
# beyond this it is generated or minified: not worth reading for a few lines, and nobody edits it
MAX_SOURCE_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line as it is shown: tabs are spaces, control characters are harmless."""

    number: int
    text: str

    @property
    def indent(self) -> int:
        """How many spaces it starts with."""
        return len(self.text) - len(self.text.lstrip(" "))


@dataclass(frozen=True, slots=True)
class Underline:
    """Where carets go under a line, in terminal cells."""

    start: int
    length: int


@dataclass(slots=True)
class SourceReader:
    """Reads each file once; make one for each report, since sources may change between reports."""

    root: Path
    _files: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def line(self, file: str, number: int) -> SourceLine | None:
        """Return a line by its number from 1; None where the file or the line cannot be had."""
        raw = self._raw(file, number)
        return None if raw is None else SourceLine(number, _shown(raw.rstrip()))

    def lines(self, site: Site, *, limit: int) -> tuple[SourceLine, ...]:
        """Return the lines that a place spans, at most `limit` of them."""
        last = min(site.end_line or site.line, site.line + limit - 1)
        found = (self.line(site.file, number) for number in range(site.line, last + 1))
        return tuple(line for line in found if line is not None)

    def line_before(self, site: Site) -> SourceLine | None:
        """Return the line just above a place, unless it is blank."""
        line = self.line(site.file, site.line - 1)
        return line if line is not None and line.text.strip() else None

    def underline(self, site: Site) -> Underline | None:
        """Return where the carets go: to the end of the first line when the place spans several."""
        raw = self._raw(site.file, site.line)
        if raw is None or site.column is None:
            return None
        line = raw.rstrip()
        start = site.column - 1
        if start >= len(line):
            return None
        spans_lines = site.end_line is not None and site.end_line > site.line
        end_column = site.end_column if site.end_column is not None else site.column + 1
        end = len(line) if spans_lines else min(max(end_column - 1, start + 1), len(line))
        before = cells(_shown(line[:start]))
        return Underline(before, max(cells(_shown(line[:end])) - before, 1))

    def _raw(self, file: str, number: int) -> str | None:
        if file not in self._files:
            self._files[file] = _read(self.root / file)
        lines = self._files[file]
        return lines[number - 1] if 1 <= number <= len(lines) else None


def _read(path: Path) -> tuple[str, ...]:
    """Return the lines of a file, in the encoding it declares; none where it cannot be read."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_SOURCE_BYTES:
            return ()
        with tokenize.open(path) as file:
            # not `splitlines`: Python's own line numbers know no form feeds or separators
            return tuple(file.read().split("\n"))
    except (OSError, SyntaxError, UnicodeError, ValueError):
        return ()


def _shown(line: str) -> str:
    *parts, last = line.split("\t")
    text = ""
    for part in parts:
        text += without_controls(part)
        text += " " * (TAB_CELLS - cells(text) % TAB_CELLS)
    return text + without_controls(last)
