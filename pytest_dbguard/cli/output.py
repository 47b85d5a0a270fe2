"""Print text that fits the terminal, with colour only where it is wanted."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TextIO

from pytest_dbguard.reports.fitting import cells, pad, wrap
from pytest_dbguard.reports.style import Style

_WIDEST = 100  # longer lines of prose are hard to read


class OutputFormat(StrEnum):
    """Text for people, JSON for programs."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command prints."""

    width: int = 80
    style: Style = field(default_factory=lambda: Style(color=False))

    def line(self, text: str = "") -> None:
        """Print one line as it is."""
        print(text)

    def paragraph(self, text: str, *, indent: str = "", first: str | None = None) -> None:
        """Print text wrapped at the width, each line after `indent`, the first one after `first` when given."""
        lines = wrap(text, self.width - cells(indent), break_words=False)
        for number, line in enumerate(lines):
            self.line(((first if first is not None and number == 0 else indent) + line).rstrip())

    def table(self, rows: Iterable[tuple[str, ...]], *, header: tuple[str, ...]) -> None:
        """Print rows in columns; the last column is wrapped."""
        rows = list(rows)
        widths = [max(cells(row[column]) for row in [header, *rows]) for column in range(len(header) - 1)]
        for row in [header, *rows]:
            start = "".join(pad(cell, width) + "  " for cell, width in zip(row, widths, strict=False))
            self.paragraph(row[-1], indent=" " * cells(start), first=start)


def standard_output(stream: TextIO | None = None, environ: Mapping[str, str] | None = None) -> Output:
    """Return what fits standard output: its width (80 where it is no terminal), and colour if it is a terminal."""
    stream, environ = stream or sys.stdout, os.environ if environ is None else environ
    colored = stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return Output(min(shutil.get_terminal_size((80, 24)).columns, _WIDEST), Style(color=colored))
