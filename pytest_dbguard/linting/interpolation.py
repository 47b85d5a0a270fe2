"""Writes a statement with parameters and names in place of what is put into its text, and tells which is which."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pytest_dbguard.linting.hole_roles import HOLE, Role, Token, hole_tokens, is_text, role_of
from pytest_dbguard.linting.placed_text import Hole, Part, Piece, Safety, TextBuilder
from pytest_dbguard.linting.safety import stand_in
from pytest_dbguard.linting.styles import placeholder, style_of

_TYPED = frozenset({"INTERVAL", "DATE", "TIMESTAMP", "TIME", "TIMESTAMPTZ"})
_TAKE_NO_VALUES = frozenset({"ALTER", "DROP", "SET", "PRAGMA", "TRUNCATE", "COMMENT"})
"""Statements that take no parameters: what stands in them without quotes is a name, a number or a word."""


class Put(NamedTuple):
    """One hole: its offset in the written text, what it stands for, and whether quotes stand around it."""

    hole: Hole
    offset: int
    is_value: bool
    is_quoted: bool


@dataclass(slots=True)
class Written:
    """A statement without holes.

    Attributes:
        builder: The text.
        style: Of its parameters, or "at" for `@name`.
        puts: What was put in, but for parameters and constants.
        is_whole: Whether nothing but values and names was put in.
        is_generic: Whether names were put in.
    """

    builder: TextBuilder
    style: str
    puts: list[Put]
    is_whole: bool
    is_generic: bool = False


def written(parts: Sequence[Part]) -> Written:
    """Return the text of parts, parameters for the values that are put into it and names for the names."""
    return _Writer(parts).write()


class _Writer:
    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._starts: list[int] = []
        texts: list[str] = []
        length = 0
        for part in parts:
            self._starts.append(length)
            texts.append(part.text if isinstance(part, Piece) else HOLE)
            length += len(texts[-1])
        self._text = "".join(texts)
        self._holes = {s: part for s, part in zip(self._starts, parts, strict=True) if isinstance(part, Hole)}
        self._written = Written(TextBuilder(), "", [], is_whole=True)
        self._names: dict[str, str] = {}

    def write(self) -> Written:
        out = self._written
        if not self._holes:
            self._copy(0, len(self._text))
            out.style = style_of(self._text)
            return out
        out.style = style_of(self._text.replace(HOLE, "x"))
        if out.style in ("", "at", "numeric"):
            out.style = "named"
        self._dollars = max((int(number) for number in re.findall(r"\$(\d+)", self._text)), default=0)
        tokens = hole_tokens(self._text)
        self._verb = next((token.word for token in tokens if token.kind == "word"), "")
        at = 0
        for number, token in enumerate(tokens):
            if HOLE in token.text:
                self._copy(at, token.start)
                self._token(tokens, number)
                at = token.end
        self._copy(at, len(self._text))
        return out

    def _copy(self, start: int, end: int) -> None:
        """Write text as it stands; names that are left stand for holes in it."""
        for begin, part in zip(self._starts, self._parts, strict=True):
            if isinstance(part, Piece):
                low, high = max(start, begin), min(end, begin + len(part.text))
                if low < high:
                    self._written.builder.add(part.text[low - begin : high - begin], part.at + low - begin)
            elif start <= begin < end:
                self._name(part)

    def _token(self, tokens: Sequence[Token], number: int) -> None:
        token = tokens[number]
        holes = [self._holes[at] for at in range(token.start, token.end) if at in self._holes]
        if token.kind == "word" and len(token.text) == 1:
            self._bare(holes[0], role_of(tokens, number, holes[0]))
        elif token.kind == "string" or (token.kind == "quoted" and is_text(tokens, number, holes)):
            self._string(tokens, number)
        elif token.kind == "parameter":
            self._parameter(token, holes[0])
        else:
            is_sql = token.kind == "dollars" or (token.kind == "word" and set(token.text) == {HOLE})
            self._copy(token.start, token.end)
            if token.kind != "comment":
                self._note_all(holes, is_whole=not is_sql)

    def _note_all(self, holes: Sequence[Hole], *, is_whole: bool) -> None:
        for hole in holes:
            self._note(hole, is_value=False)
        self._written.is_whole &= is_whole

    def _note(self, hole: Hole, *, is_value: bool, is_quoted: bool = False) -> None:
        if hole.safety is Safety.UNKNOWN:
            offset = len(self._written.builder.text)
            self._written.puts.append(Put(hole, offset, is_value, is_quoted))

    def _bare(self, hole: Hole, role: Role) -> None:
        if hole.safety is Safety.PLACEHOLDER and role is not Role.NAME:
            role = Role.VALUE
        if hole.safety in (Safety.NAME, Safety.SQL):
            role = Role.NAME if hole.safety is Safety.NAME else Role.SQL
        self._note(hole, is_value=role in (Role.VALUE, Role.LIST) and self._verb not in _TAKE_NO_VALUES)
        if role is Role.SQL:
            self._written.is_whole = False
            self._written.builder.add(" ", hole.at)
        elif role is Role.DIRECTION:
            self._written.builder.add("ASC", hole.at)
        elif role is Role.NAME:
            self._name(hole)
        else:
            text = self._placeholder(hole)
            self._written.builder.add(f"({text})" if role is Role.LIST else text, hole.at)

    def _name(self, hole: Hole) -> None:
        self._written.builder.add(stand_in(hole.name), hole.at)
        self._written.is_generic = True

    def _parameter(self, token: Token, hole: Hole) -> None:
        """Write a parameter whose name or number is put together: that is no value."""
        if token.text == f"${HOLE}":
            self._written.style = "numeric_dollar"
            self._dollars += 1
            self._written.builder.add(f"${self._dollars}", hole.at)
        else:
            self._copy(token.start, token.end)

    def _string(self, tokens: Sequence[Token], number: int) -> None:
        """Write a text with values in it as a sum of texts and parameters, so that its ends are still known."""
        token = tokens[number]
        before = tokens[number - 1].word if number else ""
        is_name = before == "AS"
        is_typed = before in _TYPED
        start = token.start + token.text.index(token.text[-1] if token.kind == "quoted" else "'")
        out, count = self._written.builder, 0
        for begin, end in _runs(token.text, token.start, start + 1, token.end - 1):
            hole = self._holes.get(begin)
            if hole is not None and self._verb != "PRAGMA":
                self._note(hole, is_value=not is_name, is_quoted=True)
            if is_typed or is_name:
                continue
            if count:
                out.add(" || ", hole.at if hole is not None else self._at(begin))
            count += 1
            if hole is not None:
                out.add(self._placeholder(hole), hole.at)
            else:
                out.add("'", self._at(begin))
                self._copy(begin, end)
                out.add("'", self._at(end - 1))
        if is_name:
            self._copy(token.start, token.end)
        elif is_typed:
            # a constant of a type takes no parameter
            out.add("'1 day'" if before == "INTERVAL" else "'2000-01-01'", self._at(token.start))

    def _at(self, offset: int) -> int:
        """Return the offset in the source of an offset in the text that is read."""
        for begin, part in reversed(list(zip(self._starts, self._parts, strict=True))):
            if begin <= offset:
                return part.at + (offset - begin if isinstance(part, Piece) else 0)
        return 0

    def _placeholder(self, hole: Hole) -> str:
        """Return the parameter for a value; one that is put in twice is one."""
        name = hole.name
        while self._names.setdefault(name, hole.expression) != hole.expression:
            stem, _, count = name.rpartition("_")
            name = f"{stem}_{int(count) + 1}" if stem and count.isdigit() else f"{name}_2"
        if self._written.style == "numeric_dollar":
            self._dollars += 1
            return f"${self._dollars}"
        return placeholder(self._written.style, name)


def _runs(text: str, base: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches of text without holes, and the holes, between two offsets."""
    at = start
    for match in re.finditer(HOLE, text):
        hole = base + match.start()
        if at < hole:
            yield at, hole
        yield hole, hole + 1
        at = hole + 1
    if at < end:
        yield at, end
