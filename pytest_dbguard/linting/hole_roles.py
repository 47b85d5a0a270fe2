"""Reads a text with holes, and tells what stands where something is put in: a value, a name, or a piece of SQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import Final, NamedTuple

from pytest_dbguard.linting.placed_text import Hole, Safety

HOLE: Final = "\ue000"
"""Of the private use area: stands for one hole while a text is read."""
_GRAMMAR = rf"""
      (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<string>\b[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z)|'(?:[^']|'')*(?:'|\Z))
    | (?P<dollars>(?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<quoted>"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z))
    | (?P<cast>::)
    | (?P<parameter>%\([\w{HOLE}]+\)[sbt]|%[sbt](?!\w)|[:$@][\w{HOLE}]+|\?)
    | (?P<word>[\w{HOLE}][\w{HOLE}$]*)
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
_SQL = r"sql|sub_?query|query|cte|clause|expr(?:ession)?"
_PIECES = re.compile(rf"(?:^|_)(?:{_SQL}|where|cond(?:ition)?|filter|joins?|order_by)s?\d*$", re.IGNORECASE)
_PIECES_AS_VALUES = re.compile(rf"(?:^|_)(?:{_SQL})s?\d*$", re.IGNORECASE)
_DIRECTION = re.compile(r"(?:^|_)(?:dir(?:ection)?|order|sort(?:ing)?|asc|desc)$", re.IGNORECASE)


class Role(Enum):
    """What stands where something is put in."""

    VALUE = "value"
    LIST = "list"
    NAME = "name"
    SQL = "sql"
    DIRECTION = "direction"
    """ASC or DESC."""


class Token(NamedTuple):
    """One token of a text: its kind, as written, and where it begins and ends."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The text in capitals."""
        return self.text.upper()


def hole_tokens(text: str) -> list[Token]:
    """Return the tokens of a text, without blanks; `HOLE` stands for what is put in."""
    return [
        Token("dollars" if match.lastgroup == "tag" else match.lastgroup or "", match.group(), *match.span())
        for match in _TOKENS.finditer(text)
    ]


def is_text(tokens: Sequence[Token], number: int, holes: Sequence[Hole]) -> bool:
    """Whether double quotes hold a text, as SQLite and MySQL allow, rather than a name."""
    token = tokens[number]
    before = tokens[number - 1].word if number else ""
    is_compared = before in _COMPARES or before in ("LIKE", "ILIKE")
    names = any(_COLUMN.search(hole.name) or hole.safety is Safety.NAME for hole in holes)
    return token.text[0] == '"' and is_compared and not names


def role_of(tokens: Sequence[Token], number: int, hole: Hole) -> Role:
    """Return what stands where a hole stands alone, by what is before and behind it."""
    before = tokens[number - 1].word if number else ""
    after = tokens[number + 1].word if number + 1 < len(tokens) else ""
    if before == "." or after == ".":
        return Role.NAME
    if before == "[" and number > 1:
        # a name in brackets, as SQLite and SQL Server have it, or an array
        return {"ARRAY": Role.VALUE}.get(tokens[number - 2].word, Role.NAME if after == "]" else Role.SQL)
    if before in ("(", ","):
        return _role_in_list(tokens, number, hole, after)
    if before in _NAME_FOLLOWS:
        return Role.NAME
    if before == "LIKE" and tokens[0].word == "CREATE" and "SELECT" not in {token.word for token in tokens[:number]}:
        # CREATE TABLE copy LIKE orders
        return Role.NAME
    if before in _CONDITIONS or before == "AND":
        return _role_of_operand(tokens, number, hole, after)
    if before in _VALUE_FOLLOWS and not _is_star(tokens, number):
        if _COLUMN.search(hole.name):
            return Role.NAME
        if after == "(" or _PIECES_AS_VALUES.search(hole.name):
            return Role.SQL
        return Role.LIST if before == "IN" else Role.VALUE
    is_sorted = any(token.word == "BY" for token in tokens[max(number - 8, 0) : number])
    return Role.DIRECTION if is_sorted and _DIRECTION.search(hole.name) else Role.SQL


def _is_star(tokens: Sequence[Token], number: int) -> bool:
    """Whether the sign before stands for all columns, rather than for a product."""
    return tokens[number - 1].text == "*" and (number < 2 or tokens[number - 2].word in ("SELECT", "(", ".", ","))


def _role_of_operand(tokens: Sequence[Token], number: int, hole: Hole, after: str) -> Role:
    """Return what stands behind AND, WHERE and the like: an operand, or a whole condition."""
    betweens = [token.word for token in tokens[max(number - 5, 0) : number - 1]]
    if tokens[number - 1].word == "AND" and "BETWEEN" in betweens:
        return Role.VALUE
    return Role.NAME if after in _OPERATOR else Role.SQL


def _role_in_list(tokens: Sequence[Token], number: int, hole: Hole, after: str) -> Role:
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
    if word in ("IN", "VALUES", "ANY", "ALL"):
        return Role.SQL if _PIECES_AS_VALUES.search(hole.name) else Role.VALUE
    if _PIECES.search(hole.name):
        return Role.SQL
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


def _lists_rows(tokens: Sequence[Token], at: int) -> bool:
    """Whether the parenthesis at a token opens a further row of VALUES, or of an IN list of rows."""
    return any(token.word in ("VALUES", "IN") for token in tokens[max(at - 60, 0) : at])
