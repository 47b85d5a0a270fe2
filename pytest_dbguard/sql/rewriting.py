"""Writes a statement again with a database's own parameters, some of them replaced, and one row to insert."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pytest_dbguard.sql.placeholders import DOUBLED, Lexeme

# client-side binding writes `INTERVAL '1 day'` for `INTERVAL %s`; a server's parameter needs a cast
_TYPED = frozenset({"INTERVAL", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ"})
_INSERTS = frozenset({"INSERT", "REPLACE"})


@dataclass(frozen=True, slots=True)
class Rewriter:
    """One statement: its text, the style of its placeholders, its tokens, and whose parameters are wanted."""

    text: str
    style: str
    found: list[Lexeme]
    is_postgres: bool

    def write(self, replaced: Mapping[int, str]) -> tuple[str, tuple[int, ...], tuple[tuple[int, int], ...]]:
        """Return the text, for each parameter that is left its position in the original one, and where pieces stood.

        The last are (offset in the new text, offset in the original one), in ascending order.

        Args:
            replaced: What to write in place of a parameter, by its position.
        """
        pieces: list[tuple[int, str]] = []
        ordinals: dict[str | int, int] = {}
        end = 0
        for start, stop, replacement in self._edits(replaced, ordinals):
            pieces += (*self._plain(end, start), (start, replacement))
            end = stop
        pieces += self._plain(end, self.found[-1].end if self.found else 0)
        text = "".join(piece for _, piece in pieces)
        return text.strip(), tuple(ordinals.values()), _offsets(pieces, len(text) - len(text.lstrip()))

    def _edits(self, replaced: Mapping[int, str], ordinals: dict[str | int, int]) -> Iterator[tuple[int, int, str]]:
        """Yield (from, to, what to write instead) in the order of the text; fills `ordinals` by key."""
        rows = list(self._further_rows())
        numbers: dict[str | int, int] = {}
        position = -1
        for index, token in enumerate(self.found):
            if rows and token.start >= rows[0][0]:
                if token.end == rows[0][1]:
                    yield (*rows.pop(0), "")
                position += token.key is not None
            elif token.key is not None:
                position += 1
                written = replaced.get(position)
                if written is None:
                    # SQLite's question marks are parameters of their own, even where one name stood twice
                    key = token.key if self.is_postgres else position
                    number = numbers.setdefault(key, len(numbers) + 1)
                    ordinals.setdefault(key, position)
                    written = f"${number}" if self.is_postgres else "?"
                yield self._in_place(index, written)

    def _in_place(self, index: int, written: str) -> tuple[int, int, str]:
        """Return the edit for one parameter; drivers that bind by writing allow it where a server's may not stand."""
        token = self.found[index]
        before = self.found[index - 1] if index and self.style in DOUBLED else None
        word = before.text.upper() if before is not None and before.kind == "word" else ""
        if before is not None and word in _TYPED:
            return before.start, token.end, f"{written}::{before.text}"
        return token.start, token.end, f"({written})" if word == "IN" else written

    def _plain(self, start: int, end: int) -> Iterator[tuple[int, str]]:
        """Yield a piece of the text as it is, by its beginning; where per cent signs are doubled, one up to each."""
        piece = self.text[start:end]
        if self.style not in DOUBLED or "%%" not in piece:
            yield start, piece
            return
        for part in piece.split("%%"):
            stop = start + len(part)
            yield start, part + ("%" if stop < end else "")
            start = stop + 2

    def _further_rows(self) -> Iterator[tuple[int, int]]:
        """Yield where the rows after the first begin and end, comma included, of each VALUES of an INSERT."""
        words = [token.text.upper() if token.kind == "word" else token.text for token in self.found]
        if _INSERTS.isdisjoint(words):
            return
        closed = closed_at(words)
        for index, word in enumerate(words):
            first = closed.get(index + 1, -1) if word == "VALUES" else -1
            last = first
            while last >= 0 and words[last + 1 : last + 3] == [",", "("] and last + 2 in closed:
                last = closed[last + 2]
            if last > first:
                yield self.found[first].end, self.found[last].end


def _offsets(pieces: Iterable[tuple[int, str]], cut: int) -> tuple[tuple[int, int], ...]:
    """Return where each piece begins in what they make together after `cut` characters, and where it stood."""
    found: list[tuple[int, int]] = []
    end = -cut
    for start, piece in pieces:
        if piece:
            found.append((max(end, 0), start + max(-end, 0)))
        end += len(piece)
    return tuple(found)


def closed_at(words: list[str]) -> dict[int, int]:
    """Return where each parenthesis is closed."""
    closed: dict[int, int] = {}
    opened: list[int] = []
    for index, word in enumerate(words):
        if word == "(":
            opened.append(index)
        elif word == ")" and opened:
            closed[opened.pop()] = index
    return closed
