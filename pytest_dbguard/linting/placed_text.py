"""Text that is put together from pieces of a source, each of which remembers where it stands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

MAX_EXPRESSION = 60


class Safety(Enum):
    """What is known of something that is put into a text."""

    UNKNOWN = "unknown"
    """It may hold anything."""
    CONSTANT = "constant"
    """A number or a constant by its name: nobody's input."""
    PLACEHOLDER = "placeholder"
    """It stands for a parameter that is bound."""
    NAME = "name"
    """It is quoted as a name."""
    SQL = "sql"
    """It is SQL, such as an expression that something else composed."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that stands in the source from an offset on, without a line's end but as its last character."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Hole:
    """Something that is put into a text: where its source begins and ends, and what it is.

    Attributes:
        at: Offset in the source.
        end: Offset behind it.
        how: "f-string", "%", "format" or "+".
        name: A name for it as a parameter or as what it names.
        safety: What is known of it.
        expression: Its source.
    """

    at: int
    end: int
    how: str
    name: str
    expression: str
    safety: Safety = Safety.UNKNOWN


Part = Piece | Hole


class Lines:
    """Tells the line and column of offsets in a source."""

    def __init__(self, source: str) -> None:
        self.source = source
        starts = [0]
        while (end := source.find("\n", starts[-1])) >= 0:
            starts.append(end + 1)
        self._starts = starts
        self._is_ascii = source.isascii()

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def offset(self, line: int, byte_column: int) -> int:
        """Return the offset of a line, from 1, and a column in bytes of UTF-8, from 0, as `ast` counts."""
        start = self._starts[line - 1]
        if self._is_ascii:
            return start + byte_column
        end = self._starts[line] if line < len(self._starts) else len(self.source)
        return start + len(self.source[start:end].encode()[:byte_column].decode(errors="ignore"))


def verbatim(source: str, start: int, end: int) -> Iterable[Piece]:
    """Yield the pieces of text that stands in the source as it is."""
    while start < end:
        line_end = source.find("\n", start, end)
        stop = end if line_end < 0 else line_end + 1
        yield Piece(source[start:stop], start)
        start = stop


@dataclass(slots=True)
class TextBuilder:
    """Writes a text and remembers which offsets of the source its pieces come from."""

    _texts: list[str] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _sources: list[int] = field(default_factory=list)
    _length: int = 0

    def add(self, text: str, at: int) -> None:
        """Append text that stands in the source from `at` on, or stands for what does."""
        if text:
            self._texts.append(text)
            self._starts.append(self._length)
            self._sources.append(at)
            self._length += len(text)

    @property
    def text(self) -> str:
        """What was written."""
        return "".join(self._texts)

    def source_of(self, offset: int) -> int:
        """Return the offset in the source of an offset in the text."""
        number = max(bisect_right(self._starts, offset) - 1, 0)
        return self._sources[number] + offset - self._starts[number]

    def lines(self, start: int, end: int, lines: Lines) -> tuple[tuple[int, int, int], ...]:
        """Return `Snippet.lines` of a part of the text."""
        inner = [start, *(offset for offset in self._starts if start < offset < end)]
        return tuple((offset - start, *lines.place(self.source_of(offset))) for offset in inner)


def shortened(expression: str) -> str:
    """Return the source of an expression in one line of at most 60 characters."""
    text = " ".join(expression.split())
    return text if len(text) <= MAX_EXPRESSION else text[: MAX_EXPRESSION - 1] + "…"


def has_text(parts: Sequence[Part]) -> bool:
    """Whether any text stands among the parts."""
    return any(isinstance(part, Piece) for part in parts)
