"""Writes a statement with parameters and names in place of what is put into its text, and tells which is which."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from pytest_dbguard.linting.placed_text import Hole, Part, Piece, Safety, TextBuilder
from pytest_dbguard.linting.safety import stand_in
from pytest_dbguard.linting.styles import placeholder, style_of

_HOLE = "\ue000"
"""Of the private use area: stands for one hole while a text is read."""
_GRAMMAR = rf"""
      (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<string>\b[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z)|'(?:[^']|'')*(?:'|\Z))
    | (?P<dollars>(?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<quoted>"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z))
    | (?P<cast>::)
    | (?P<parameter>%\([\w{_HOLE}]+\)[sbt]|%[sbt](?!\w)|[:$@][\w{_HOLE}]+|\?)
    | (?P<word>[\w{_HOLE}][\w{_HOLE}$]*)
    | (?P<sign><=|>=|<>|!=|\|\||->>|->|\#>>|@>|<@|~~\*?|!~~?\*?|[^\s\w])
"""
_TOKENS = re.compile(_GRAMMAR, re.VERBOSE | re.DOTALL)
_COMPARES = frozenset({"=", "<", ">", "<=", ">=", "<>", "!=", "==", "~", "!~", "~*", "!~*", "->", "->>", "@>", "||"})
_VALUE_FOLLOWS = _COMPARES | frozenset(
    {"LIKE", "ILIKE", "REGEXP", "RLIKE", "GLOB", "MATCH", "BETWEEN", "LIMIT", "OFFSET", "IN", "TO", "ESCAPE", "FIRST"}
    | {"THEN", "ELSE", "+", "-", "*", "/", "%", "NEXT", "TOP", "IS"}
)
_NAME_FOLLOWS = frozenset(
    {"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "INDEX", "VIEW", "SCHEMA", "DATABASE", "COLUMN", "ONLY", "TRUNCATE"}
    | {"BY", "AS", "SELECT", "DISTINCT", "RETURNING", "COLLATE", "USING", ".", "REFERENCES", "EXISTS", "SEQUENCE"}
)
_OPERATOR = _COMPARES | {"LIKE", "ILIKE", "IN", "IS", "BETWEEN", "NOT", "REGEXP", "RLIKE", "SIMILAR", "::", "."}
_CONDITIONS = frozenset({"WHERE", "AND", "OR", "ON", "HAVING", "NOT", "WHEN", "SET"})
_COLUMN = re.compile(r"(?:^|_)(?:col(?:umn)?|field|attr|key_name|ident\w*|table|alias)(?:_?name)?\d*$", re.IGNORECASE)
_PIECES = re.compile(
    r"(?:^|_)(?:sql|where|clause|condition|cond|filter|expr|sub_?query|query|cte|joins?|order_by)s?\d*$", re.I
)
_TYPED = frozenset({"INTERVAL", "DATE", "TIMESTAMP", "TIME", "TIMESTAMPTZ"})


class Role(Enum):
    """What stands where something is put in."""

    VALUE = "value"
    LIST = "list"
    NAME = "name"
    SQL = "sql"


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
    """

    builder: TextBuilder
    style: str
    puts: list[Put]
    is_whole: bool


def written(parts: Sequence[Part]) -> Written:
    """Return the text of parts, parameters for the values that are put into it and names for the names."""
    return _Writer(parts).write()


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        return self.text.upper()


class _Writer:
    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._starts: list[int] = []
        texts: list[str] = []
        length = 0
        for part in parts:
            self._starts.append(length)
            texts.append(part.text if isinstance(part, Piece) else _HOLE)
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
        out.style = style_of(self._text.replace(_HOLE, "x"))
        if out.style in ("", "at", "numeric"):
            out.style = "named"
        self._dollars = max((int(number) for number in re.findall(r"\$(\d+)", self._text)), default=0)
        tokens = [
            _Token("dollars" if m.lastgroup == "tag" else m.lastgroup or "", m.group(), m.start(), m.end())
            for m in _TOKENS.finditer(self._text)
        ]
        at = 0
        for number, token in enumerate(tokens):
            if _HOLE in token.text:
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
                self._written.builder.add(stand_in(part.name), part.at)

    def _token(self, tokens: Sequence[_Token], number: int) -> None:
        token = tokens[number]
        holes = [self._holes[at] for at in range(token.start, token.end) if at in self._holes]
        if token.kind == "word" and len(token.text) == 1:
            self._bare(holes[0], _role(tokens, number, holes[0]))
        elif token.kind == "string" or (token.kind == "quoted" and _is_text(tokens, number, holes)):
            self._string(tokens, number)
        elif token.kind == "parameter":
            self._parameter(token, holes[0])
        else:
            is_sql = token.kind == "dollars" or (token.kind == "word" and set(token.text) == {_HOLE})
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
        self._note(hole, is_value=role in (Role.VALUE, Role.LIST))
        if role is Role.SQL:
            self._written.is_whole = False
            self._written.builder.add(" ", hole.at)
        elif role is Role.NAME:
            self._written.builder.add(stand_in(hole.name), hole.at)
        else:
            text = self._placeholder(hole)
            self._written.builder.add(f"({text})" if role is Role.LIST else text, hole.at)

    def _parameter(self, token: _Token, hole: Hole) -> None:
        """Write a parameter whose name or number is put together: that is no value."""
        if token.text == f"${_HOLE}":
            self._written.style = "numeric_dollar"
            self._dollars += 1
            self._written.builder.add(f"${self._dollars}", hole.at)
        else:
            self._copy(token.start, token.end)

    def _string(self, tokens: Sequence[_Token], number: int) -> None:
        """Write a text with values in it as a sum of texts and parameters, so that its ends are still known."""
        token = tokens[number]
        before = tokens[number - 1].word if number else ""
        is_name = before == "AS"
        is_typed = before in _TYPED
        start = token.start + token.text.index(token.text[-1] if token.kind == "quoted" else "'")
        out, count = self._written.builder, 0
        for begin, end in _runs(token.text, token.start, start + 1, token.end - 1):
            hole = self._holes.get(begin)
            if hole is not None:
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
    for match in re.finditer(_HOLE, text):
        hole = base + match.start()
        if at < hole:
            yield at, hole
        yield hole, hole + 1
        at = hole + 1
    if at < end:
        yield at, end


def _is_text(tokens: Sequence[_Token], number: int, holes: Sequence[Hole]) -> bool:
    """Whether double quotes hold a text, as SQLite and MySQL allow, rather than a name."""
    token = tokens[number]
    before = tokens[number - 1].word if number else ""
    is_compared = before in _COMPARES or before in ("LIKE", "ILIKE")
    names = any(_COLUMN.search(hole.name) or hole.safety is Safety.NAME for hole in holes)
    return token.text[0] == '"' and is_compared and not names


def _role(tokens: Sequence[_Token], number: int, hole: Hole) -> Role:
    """Return what stands where a hole stands alone, by what is before and behind it."""
    before = tokens[number - 1].word if number else ""
    after = tokens[number + 1].word if number + 1 < len(tokens) else ""
    if before == "." or after == ".":
        return Role.NAME
    if before in ("(", ","):
        return _role_in_list(tokens, number, hole, after)
    if before in _NAME_FOLLOWS:
        return Role.NAME
    if before in _CONDITIONS or before == "AND":
        return _role_of_operand(tokens, number, hole, after)
    if before in _VALUE_FOLLOWS and not _is_star(tokens, number):
        if _COLUMN.search(hole.name):
            return Role.NAME
        if after == "(" or _PIECES.search(hole.name):
            return Role.SQL
        return Role.LIST if before == "IN" else Role.VALUE
    return Role.SQL


def _is_star(tokens: Sequence[_Token], number: int) -> bool:
    """Whether the sign before stands for all columns, rather than for a product."""
    return tokens[number - 1].text == "*" and (number < 2 or tokens[number - 2].word in ("SELECT", "(", ".", ","))


def _role_of_operand(tokens: Sequence[_Token], number: int, hole: Hole, after: str) -> Role:
    """Return what stands behind AND, WHERE and the like: an operand, or a whole condition."""
    betweens = [token.word for token in tokens[max(number - 5, 0) : number - 1]]
    if tokens[number - 1].word == "AND" and "BETWEEN" in betweens:
        return Role.VALUE
    return Role.NAME if after in _OPERATOR else Role.SQL


def _role_in_list(tokens: Sequence[_Token], number: int, hole: Hole, after: str) -> Role:
    """Return what stands in parentheses or behind a comma, by what opens the list."""
    depth, at = 0, number - 1
    while at >= 0:
        text = tokens[at].word
        if text == "(" and depth == 0:
            break
        depth += (text == ")") - (text == "(")
        if depth == 0 and text in ("SELECT", "BY", "FROM", "SET", "RETURNING", "VALUES", "LIMIT", "DISTINCT"):
            return {"SET": Role.SQL, "VALUES": Role.SQL, "LIMIT": Role.VALUE}.get(text, Role.NAME)
        at -= 1
    opener = tokens[at - 1] if at > 0 else None
    word = opener.word if opener is not None else ""
    if _PIECES.search(hole.name):
        return Role.SQL
    if word in ("IN", "VALUES", "ANY", "ALL"):
        return Role.VALUE
    if word in (",", ")") and _lists_rows(tokens, at):
        return Role.VALUE
    if word in (*_CONDITIONS, "(", ""):
        return Role.NAME if after in _OPERATOR else Role.SQL
    if word in (*_COMPARES, "AS", "FROM", "JOIN"):
        return Role.SQL
    if _COLUMN.search(hole.name) or (at > 1 and tokens[at - 2].word in ("INTO", "TABLE", "ON", "KEY", "CONFLICT")):
        return Role.NAME
    # an argument of a function: the first is often a column, whatever it is called
    return Role.NAME if tokens[number - 1].text == "(" else Role.SQL


def _lists_rows(tokens: Sequence[_Token], at: int) -> bool:
    """Whether the parenthesis at a token opens a further row of VALUES, or of an IN list of rows."""
    return any(token.word in ("VALUES", "IN") for token in tokens[max(at - 60, 0) : at])
