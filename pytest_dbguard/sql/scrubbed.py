"""Writes a statement again without the values in it, so that it can be kept in a file and explained later."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pytest_dbguard.core.directives import IGNORE, MARK, directives
from pytest_dbguard.sql.literals import Value, literal
from pytest_dbguard.sql.patterns import pattern_class, stand_in
from pytest_dbguard.sql.placeholders import DOUBLED, Lexeme, lexemes
from pytest_dbguard.sql.rewriting import closed_at
from pytest_dbguard.sql.roles import Role, roles_of
from pytest_dbguard.sql.tokens import comments

MAX_MEMBERS = 100
"""So many members of an IN list are kept; the others say nothing new."""

_LITERALS = frozenset({"string", "number"})
_TYPED = frozenset({"INTERVAL", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ"})
_FIELDS = frozenset({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "WEEK", "QUARTER"})
_SIZED = frozenset(
    {"VARCHAR", "CHAR", "CHARACTER", "VARYING", "NVARCHAR", "NCHAR", "BPCHAR", "NUMERIC", "DECIMAL", "DEC", "FLOAT"}
    | {"BIT", "VARBIT", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "TIMETZ", "INTERVAL", "CURRENT_TIMESTAMP", "CURRENT_TIME"}
    | {"SYSTEM", "BERNOULLI", "LOCALTIMESTAMP", "LOCALTIME", "VARBINARY", "BINARY", "DATETIME"}
)
_AFTER_POSITION = frozenset({"", ",", ")", "ASC", "DESC", "NULLS", "LIMIT", "HAVING", "ORDER", "UNION", "OFFSET"})
_FRAME = frozenset({"PRECEDING", "FOLLOWING"})
_COMPARED = frozenset({"=", "==", "<>", "!=", "<", ">", "<=", ">="})
_OF_TIMES = frozenset({"DATE_TRUNC", "DATE_PART", "TO_CHAR", "TO_DATE", "TO_TIMESTAMP", "STRFTIME", "DATE_FORMAT"})
_FORMAT = re.compile(r"'[%A-Za-z :/.,_-]{1,40}'")
_NEAR = 40
_NEUTRAL = frozenset({"0", "1"})
_WILDCARDS = "%_*?"

Keeps = Callable[[str, str], bool]
"""Whether the schema itself names a literal: (column it is compared with or "", the literal as written) -> bool."""


def nothing(column: str, written: str) -> bool:
    """Keep no literal: the schema names none."""
    return False


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A text without values.

    Attributes:
        text: PostgreSQL's with `$1`, `$2`, ..., SQLite's with `?`.
        style: "numeric_dollar" or "qmark".
        values: What is kept of parameters, by position: LIMIT and OFFSET, stand-ins for patterns, NULL, truth values.
    """

    text: str
    style: str
    values: Mapping[int, tuple[Value, ...]] = field(default_factory=lambda: MappingProxyType({}))


def scrubbed(
    text: str,
    style: str,
    values: Mapping[int, tuple[Value, ...]],
    *,
    is_postgres: bool,
    keeps: Keeps = nothing,
) -> Scrubbed:
    """Return the statement without literals, comments, and rows to insert after the first.

    Literals become parameters; equal ones become the same parameter of PostgreSQL, which compares expressions of SELECT
    and GROUP BY. What stays decides how a statement can be explained and tells nothing of anybody: NULL, TRUE, FALSE,
    LIMIT and OFFSET, positions in ORDER BY, sizes of types, formats of times, wildcards, 0 and 1 that a result is
    compared with, and what `keeps` says the schema names. Patterns become stand-ins of their class. Linear in the
    length.
    """
    found = lexemes(text, style)
    asked = [
        token._replace(kind="parameter", key=f"\0{number}") if token.kind in _LITERALS else token
        for number, token in enumerate(found)
    ]
    roles = iter(roles_of(asked, style))
    of_token = {n: next(roles) for n, token in enumerate(asked) if token.key is not None}
    return _Scrubber(text, style, found, of_token, values, is_postgres, keeps).scrub()


@dataclass(slots=True)
class _Scrubber:
    """One statement while it is written again."""

    text: str
    style: str
    found: list[Lexeme]
    roles: dict[int, Role]
    values: Mapping[int, tuple[Value, ...]]
    is_postgres: bool
    keeps: Keeps
    words: list[str] = field(default_factory=list)
    numbers: dict[object, int] = field(default_factory=dict)
    kept: dict[int, tuple[Value, ...]] = field(default_factory=dict)
    position: int = 0

    def scrub(self) -> Scrubbed:
        self.words = [t.text.upper() if t.kind in ("word", "sign") else "" for t in self.found]
        drops, positions = self._dropped(), self._positions()
        pieces: list[str] = []
        end = 0
        for index, token in enumerate(self.found):
            if index in drops:
                end = token.end
                continue
            written, replaces = self._written(index, token, positions.get(index, -1))
            if replaces:
                pieces.pop()
            gap = self._gap(end, token.start)
            pieces += (gap, written) if not replaces else (written,)
            end = token.end
        text = "".join(pieces).strip().rstrip("; ")
        return Scrubbed(text, "numeric_dollar" if self.is_postgres else "qmark", MappingProxyType(self.kept))

    def _positions(self) -> dict[int, int]:
        """Return the position among the parameters of the original text, by token."""
        places = (index for index, token in enumerate(self.found) if token.key is not None)
        return {index: number for number, index in enumerate(places)}

    def _gap(self, start: int, end: int) -> str:
        """Return what stands between two tokens: a space, and of comments what they say to dbguard."""
        gap = self.text[start:end]
        if MARK in gap:
            words = (each.words for comment in comments(gap) for each in directives(comment) if each.verb == IGNORE)
            told = [f"/* dbguard: ignore[{', '.join(each)}] */" if each else "/* dbguard: ignore */" for each in words]
            return f" {' '.join(told)} "
        # SQLAlchemy breaks its lines in a way of its own, by which its texts are told from people's
        return gap if gap in ("", " \n") else " "

    def _written(self, index: int, token: Lexeme, position: int) -> tuple[str, bool]:
        """Return what stands for a token, and whether it replaces the token before as well."""
        if token.key is None and token.kind not in _LITERALS:
            return token.text.replace("%%", "%") if self.style in DOUBLED else token.text, False
        role = self.roles[index]
        if token.key is None:
            stays = self._literal(index, token, role)
            if stays is not None:
                return stays, False
            written, replaces = self._parameter(index, token.text)
            return written + self._type(token, role), replaces
        kept = _kept_values(role, self.values.get(position, ()), self.keeps, is_postgres=self.is_postgres)
        if kept:
            self.kept[self.position] = kept
        return self._parameter(index, (token.key,))

    def _parameter(self, index: int, key: object) -> tuple[str, bool]:
        self.position += 1
        if not self.is_postgres:
            return "?", False
        written = f"${self.numbers.setdefault(key, len(self.numbers) + 1)}"
        before = self._word(index - 1)
        if before in _TYPED and self.found[index - 1].kind == "word":
            return f"{written}::{before}", True
        if before == "IN":
            return f"({written})", False
        return written, False

    def _type(self, token: Lexeme, role: Role) -> str:
        """Return the cast that a number needs which no column gives its type: it chooses among functions."""
        if not self.is_postgres or token.kind != "number" or role.column:
            return ""
        is_whole = token.text.replace("_", "").isdigit()
        return "::numeric" if not is_whole else "::integer" if len(token.text) < 10 else "::bigint"

    def _literal(self, index: int, token: Lexeme, role: Role) -> str | None:
        """Return what is written for a literal that stays or has a stand-in; None for one that becomes a parameter."""
        written = token.text.replace("%%", "%") if self.style in DOUBLED else token.text
        if token.kind == "number":
            return (
                written
                if role.role in ("limit", "offset") or self._is_structure(index)
                else self._of_schema(role, written)
            )
        if self._word(index - 1) == "ESCAPE" and len(written) <= 4:
            return written
        if role.role == "like":
            return self._pattern(index, written)
        if self._word(index - 1) == "INTERVAL" and self._word(index + 1) in _FIELDS:
            return "'1'"
        if self._is_format(index, written):
            return written
        return self._of_schema(role, written)

    def _is_format(self, index: int, written: str) -> bool:
        """Whether a text names a unit or a format of times: `date_trunc('day', a)`, `strftime('%Y', a)`."""
        if not _FORMAT.fullmatch(written):
            return False
        depth = 0
        for at in range(index - 1, max(index - _NEAR, 0), -1):
            depth += (self.words[at] == ")") - (self.words[at] == "(")
            if depth < 0:
                return self.words[at - 1] in _OF_TIMES
        return False

    def _of_schema(self, role: Role, written: str) -> str | None:
        return written if self.keeps(role.column, written) else None

    def _pattern(self, index: int, written: str) -> str | None:
        inner = written[written.find("'") + 1 : -1]
        if inner and not inner.strip(_WILDCARDS):
            return written
        if "||" in (self._word(index - 1), self._word(index + 1)) or self._word(index - 1) in ("(", ","):
            # a part of a pattern
            return None
        is_glob = "GLOB" in (self._word(index - 1), self._word(index - 2))
        escape = self._escape(index)
        return f"'{stand_in(pattern_class(inner, escape=escape, is_glob=is_glob), is_glob=is_glob)}'"

    def _escape(self, index: int) -> str:
        if self._word(index + 1) == "ESCAPE" and index + 2 < len(self.found):
            return self.found[index + 2].text[1:-1]
        return "\\" if self.is_postgres else ""

    def _is_structure(self, index: int) -> bool:
        """Whether a number belongs to the form of the statement rather than to what it asks for."""
        before, after = self._word(index - 1), self._word(index + 1)
        if after in _FRAME or before == "[" or (after == "]" and before == ":"):
            return True
        if before in ("BY", ",") and after in _AFTER_POSITION and self._clause(index) == "BY":
            return True
        if before in ("(", ",") and self._called(index) in _SIZED:
            return True
        if self.found[index].text not in _NEUTRAL:
            return False
        return before in ("SELECT", "THEN", "ELSE") or self._is_computed(index)

    def _clause(self, index: int) -> str:
        """Return BY where nothing but positions and names stands between it and a number, at the same depth."""
        depth = 0
        for at in range(index - 1, -1, -1):
            word = self.words[at]
            depth += (word == ")") - (word == "(")
            if depth < 0 or (not depth and word in ("SELECT", "VALUES", "SET", "WHERE", "FROM", "IN", "LIMIT")):
                return ""
            if not depth and word == "BY":
                return word
        return ""

    def _called(self, index: int) -> str:
        """Return the word before the parenthesis that a number is a member of, over numbers and commas only."""
        at = index - 1
        while at > 0 and (self.found[at].kind == "number" or self.words[at] == ","):
            at -= 1
        return self._word(at - 1) if self._word(at) == "(" else ""

    def _is_computed(self, index: int) -> bool:
        """Whether it is the argument of COUNT, or what the result of a call or a query is compared with."""
        if self._called(index) == "COUNT" or self.roles[index].role == "count":
            return True
        return self._word(index - 1) in _COMPARED and self._word(index - 2) == ")"

    def _word(self, at: int) -> str:
        return self.words[at] if 0 <= at < len(self.words) else ""

    def _dropped(self) -> frozenset[int]:
        """Return the tokens of members of lists that are too long, and of rows to insert after the first."""
        return frozenset(at for start, end in self._ranges() for at in range(start, end))

    def _ranges(self) -> Iterator[tuple[int, int]]:
        closed = closed_at(self.words)
        inserts = not {"INSERT", "REPLACE"}.isdisjoint(self.words)
        for index, word in enumerate(self.words):
            first = closed.get(index + 1, -1)
            if first < 0:
                continue
            if word == "IN":
                commas = [at for at in range(index + 2, first) if self.words[at] == ","]
                plain = all(not self.words[at] or self.words[at] == "," for at in range(index + 2, first))
                if plain and len(commas) >= MAX_MEMBERS:
                    yield commas[MAX_MEMBERS - 1], first
            elif word == "VALUES" and inserts:
                last = first
                while self.words[last + 1 : last + 3] == [",", "("] and last + 2 in closed:
                    last = closed[last + 2]
                yield first + 1, last + 1


def _kept_values(role: Role, seen: tuple[Value, ...], keeps: Keeps, *, is_postgres: bool) -> tuple[Value, ...]:
    """Return what may be kept of the values of a parameter."""
    if role.role in ("limit", "offset"):
        numbers = [value for value in seen if type(value) is int]
        return (max(numbers),) if numbers else ()
    if role.role == "like":
        classes = sorted({pattern_class(value) for value in seen if isinstance(value, str)})
        return tuple(stand_in(each) for each in classes)
    if role.role == "count":
        return seen if seen in ((0,), (1,)) else ()
    if role.role in ("equal", "list"):
        return seen if seen and all(_tells_nothing(value, role, keeps, is_postgres) for value in seen) else ()
    return ()


def _tells_nothing(value: Value, role: Role, keeps: Keeps, is_postgres: bool) -> bool:
    if value is None or isinstance(value, bool):
        return True
    written = literal(value, is_postgres=is_postgres)
    return written is not None and keeps(role.column, written)
