"""Reads of SQLite's own statements what no pragma tells: collations, checks, expressions, predicates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from pytest_dbguard.schema.catalog import Check

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
      | (?P<text>'(?:[^']|'')*')
      | (?P<word>[^\W\d][\w$]*)
      | (?P<other>\d[\w.]*|.)""",
    re.VERBOSE | re.DOTALL,
)
_TABLE_CONSTRAINTS: Final = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int
    depth: int
    """Of parentheses; an opening one and its closing one have the depth of what is around them."""

    @property
    def word(self) -> str:
        """In capitals; nothing for what stands in quotes."""
        return self.text.upper() if self.text[:1].isalpha() else ""


@dataclass(frozen=True, slots=True)
class TableText:
    """What the statement of a table tells: by columns' names, as the database spells them.

    Attributes:
        collations: Of columns that name one.
        generated: Expressions of generated columns.
        checks: In the order of their names.
        is_without_rowid: WITHOUT ROWID.
        is_strict: STRICT.
    """

    collations: dict[str, str]
    generated: dict[str, str]
    checks: tuple[Check, ...]
    is_without_rowid: bool
    is_strict: bool


@dataclass(frozen=True, slots=True)
class IndexText:
    """What the statement of an index tells: its keys without collation and direction, its predicate."""

    keys: tuple[str, ...]
    predicate: str


def _tokens(sql: str) -> list[_Token]:
    found, depth = [], 0
    for match in _TOKEN.finditer(sql):
        if match.lastgroup == "space":
            continue
        depth -= match.group() == ")"
        found.append(_Token(match.group(), match.start(), match.end(), depth))
        depth += match.group() == "("
    return found


def unquoted(name: str) -> str:
    """Return the name that a token stands for."""
    if name[:1] in ('"', "`", "'"):
        return name[1:-1].replace(name[0] * 2, name[0])
    return name[1:-1] if name[:1] == "[" else name


def _group(tokens: Sequence[_Token], start: int) -> tuple[Sequence[_Token], int]:
    """Return what stands between the parenthesis at `start` and its other one, and the place behind that."""
    depth = tokens[start].depth
    end = next((i for i in range(start + 1, len(tokens)) if tokens[i].depth == depth), len(tokens))
    return tokens[start + 1 : end], end + 1


def _parts(tokens: Sequence[_Token]) -> Iterator[Sequence[_Token]]:
    """Yield what stands between the commas of one group."""
    start = 0
    for number, token in enumerate(tokens):
        if token.text == "," and token.depth == tokens[0].depth:
            yield tokens[start:number]
            start = number + 1
    if tokens[start:]:
        yield tokens[start:]


def _text(tokens: Sequence[_Token]) -> str:
    """Return what tokens say: as it is written, but for comments and line breaks between them."""
    gaps = (" " if before.end < after.start else "" for before, after in pairwise(tokens))
    return "".join(text for token, gap in zip(tokens, (*gaps, ""), strict=False) for text in (token.text, gap))


def read_table(sql: str) -> TableText:
    """Read `CREATE TABLE`; nothing is known of a statement without a list of columns."""
    tokens = _tokens(sql)
    opening = next((number for number, token in enumerate(tokens) if token.text == "("), None)
    if opening is None:
        return TableText({}, {}, (), is_without_rowid=False, is_strict=False)
    body, end = _group(tokens, opening)
    tail = [token.word for token in tokens[end:]]
    collations, generated = {}, {}
    checks: list[Check] = []
    for part in _parts(body):
        checks += _checks(part)
        if part[0].word in _TABLE_CONSTRAINTS:
            continue
        name = unquoted(part[0].text)
        if collation := _after(part, "COLLATE"):
            collations[name] = unquoted(collation.text)
        if expression := _generated(part):
            generated[name] = expression
    ordered = tuple(sorted(checks, key=lambda check: check.name))
    return TableText(collations, generated, ordered, "ROWID" in tail, "STRICT" in tail)


def _after(tokens: Sequence[_Token], word: str) -> _Token | None:
    """Return what follows a word that stands by itself, not in parentheses."""
    depth = tokens[0].depth
    for token, following in pairwise(tokens):
        if token.word == word and token.depth == depth:
            return following
    return None


def _generated(tokens: Sequence[_Token]) -> str:
    for number, token in enumerate(tokens[1:-1], 1):
        if token.word == "AS" and token.depth == tokens[0].depth and tokens[number + 1].text == "(":
            return _text(_group(tokens, number + 1)[0])
    return ""


def _checks(tokens: Sequence[_Token]) -> Iterator[Check]:
    for number, token in enumerate(tokens[:-1]):
        if token.word == "CHECK" and token.depth == tokens[0].depth and tokens[number + 1].text == "(":
            before = tokens[max(number - 2, 0) : number]
            is_named = len(before) > 1 and before[0].word == "CONSTRAINT"
            name = unquoted(before[1].text) if is_named else ""
            yield Check(name, _text(_group(tokens, number + 1)[0]))


def read_index(sql: str) -> IndexText:
    """Read `CREATE INDEX`."""
    tokens = _tokens(sql)
    opening = next(number for number, token in enumerate(tokens) if token.text == "(")
    keys, end = _group(tokens, opening)
    where = next((n for n in range(end, len(tokens)) if tokens[n].word == "WHERE"), len(tokens))
    return IndexText(tuple(_key(part) for part in _parts(keys)), _text(tokens[where + 1 :]))


def _key(tokens: Sequence[_Token]) -> str:
    last = len(tokens)
    if tokens[last - 1].word in ("ASC", "DESC"):
        last -= 1
    if last > 2 and tokens[last - 2].word == "COLLATE":
        last -= 2
    return _text(tokens[:last])


def read_view(sql: str) -> str:
    """Return the query of `CREATE VIEW`."""
    tokens = _tokens(sql)
    start = next((n for n, token in enumerate(tokens) if token.word == "AS" and token.depth == 0), len(tokens))
    return sql[tokens[start].end :].strip().removesuffix(";") if start < len(tokens) else ""
