"""Turns statement text into its shape (no literals, lists collapsed) and the facts that rules ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise

from pytest_dbguard.core.directives import IGNORE, MARK, directives
from pytest_dbguard.core.findings import Shape
from pytest_dbguard.sql.filters import is_unfiltered
from pytest_dbguard.sql.tokens import Token, comments, tokens

READS = frozenset({"SELECT"})
WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"})
_VERBS = READS | WRITES
CHUNK = 3
"""IN lists from this length on may be chunks of a longer list."""
_TRANSACTION = frozenset({"SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "START"})
_NOT_A_TABLE = frozenset({"SELECT", "ONLY", "LATERAL", "SET", "NOWAIT", "SKIP", "OF", "VALUES", "UNNEST"})
_FROM_IN_CALL = frozenset({"EXTRACT", "TRIM", "SUBSTRING", "OVERLAY"})
_ENDS_FROM = frozenset(
    {"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", "WINDOW", "UNION", "INTERSECT", "EXCEPT"}
    | {"SELECT", "SET", "RETURNING", "DUPLICATE"}
)
_OPERAND_FOLLOWS = frozenset(
    {"SELECT", "DISTINCT", "WHERE", "AND", "OR", "NOT", "LIKE", "ILIKE", "BETWEEN", "WHEN", "THEN", "ELSE", "LIMIT"}
    | {"OFFSET", "BY", "RETURNING"}
)
_LIST_FOLLOWS = frozenset({"IN", "VALUES"})
_ANYTHING = frozenset({"'%'", "'%%'"})
_RANGE_SIGNS = frozenset({"<", ">", "<=", ">="})
_UNSPACED_BEFORE = frozenset({",", ")", ".", ";"})
_UNSPACED_AFTER = frozenset({"(", "."})

_LIST = re.compile(r"\bIN \((?:\?(?:, \?)*|\(\?(?:, \?)*\)(?:, \(\?(?:, \?)*\))*)\)", re.IGNORECASE)
_ROWS = re.compile(r"\bVALUES (\((?:[^()]|\([^()]*\))*\))(?:, \((?:[^()]|\([^()]*\))*\))+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A bound parameter in the text: the name for named styles, else None, and the role it plays.

    Roles: "limit", "offset", "range" (compared by < or >), "equal", "list" (in an IN list), "other".
    """

    name: str | None
    role: str


@dataclass(frozen=True, slots=True)
class StatementText:
    """What is known of one statement text, found once a text and shared by all its executions.

    Attributes:
        shape: The text without literals, and its id: equal for texts that differ in literals or list lengths only.
        verb: SELECT, INSERT, UPDATE, DELETE, MERGE, REPLACE, TRANSACTION, or the first word (CREATE, PRAGMA, ...).
            After WITH it is that of the first part that writes, else that of the statement itself.
        tables: Names after FROM (all of a list), JOIN, INTO and UPDATE, in order, without repeats.
        longest_list: Number of members of the longest IN list; 0 without one.
        value_rows: Number of rows after VALUES; 0 without them.
        placeholders: The bound parameters in the order of the text.
        has_from: Whether the statement reads a table or function at all.
        locks_rows: Whether it ends in FOR UPDATE or FOR SHARE (with whatever follows).
        skips_locked: Whether it says SKIP LOCKED.
        has_limit: Whether it says LIMIT or FETCH FIRST.
        refers_to_itself: Whether it writes to a table with a foreign key to itself; only known of SQLAlchemy's own.
        moves: Whether it may be a page, a chunk or a window, so that single values are kept as hashes to tell.
        has_from_list: Whether several elements stand after FROM, with a comma between them.
        is_unfiltered: Whether it updates or deletes every row of a table.
        ignores: Words of its comments `/* dbguard: ignore[DBG103] */`, as written; "" for a comment without any.
    """

    shape: Shape
    verb: str
    tables: tuple[str, ...]
    longest_list: int
    value_rows: int
    placeholders: tuple[Placeholder, ...]
    has_from: bool
    locks_rows: bool
    skips_locked: bool
    has_limit: bool
    moves: bool
    ignores: tuple[str, ...] = ()
    refers_to_itself: bool = False
    has_from_list: bool = False
    is_unfiltered: bool = False

    @property
    def is_read(self) -> bool:
        """Whether it only reads."""
        return self.verb in READS

    @property
    def sets_savepoint(self) -> bool:
        """Whether it begins a savepoint; releasing one and rolling back to one do not."""
        return self.verb == "TRANSACTION" and self.shape.text[:9].upper() == "SAVEPOINT"

    @property
    def is_write(self) -> bool:
        """Whether it changes rows."""
        return self.verb in WRITES

    @property
    def table(self) -> str:
        """The first table it names, or the verb in small letters when it names none."""
        return self.tables[0] if self.tables else self.verb.lower()


def read_statement(statement: str) -> StatementText:
    """Return shape and facts of a statement text. Linear in its length, about 1 µs a token."""
    found = list(tokens(statement))
    words = [token.text.upper() if token.kind == "word" else "" for token in found]
    text = _collapse(_join(found))
    groups = _groups(found)
    placeholders = _placeholders(found, words, groups)
    longest_list = _longest_list(words, groups)
    tables, has_from, has_from_list = _tables(found, words)
    has_limit = "LIMIT" in words or _follows(words, "FETCH", ("FIRST", "NEXT"))
    return StatementText(
        shape=Shape(blake2b(text.encode(), digest_size=6).hexdigest(), text),
        verb=_verb(found, words),
        tables=tables,
        longest_list=longest_list,
        value_rows=_value_rows(found, words),
        placeholders=placeholders,
        has_from=has_from,
        locks_rows=_follows(words, "FOR", ("UPDATE", "SHARE", "NO", "KEY")),
        skips_locked=_follows(words, "SKIP", ("LOCKED",)),
        has_limit=has_limit,
        moves=has_limit or longest_list >= CHUNK or sum(p.role == "range" for p in placeholders) >= 2,
        ignores=_ignores(statement) if MARK in statement else (),
        has_from_list=has_from_list,
        is_unfiltered=is_unfiltered(found, words),
    )


def _ignores(statement: str) -> tuple[str, ...]:
    """Return the words of all ignore comments; one that cannot be read gives "", which nobody takes for a rule."""
    words: dict[str, None] = {}
    for comment in comments(statement):
        for directive in directives(comment):
            is_right = directive.verb == IGNORE and directive.is_closed
            words |= dict.fromkeys((is_right and directive.words) or ("",))
    return tuple(words)


def _join(found: list[Token]) -> str:
    """Write the tokens out again with literals and parameters as `?` and single spaces.

    A wildcard that is put before or behind a parameter stays: to look inside of texts is not to look for beginnings.
    """
    pieces: list[str] = []
    end = 0
    for number, token in enumerate(found):
        touches, end = token.offset == end, token.offset + len(token.text)
        previous = pieces[-1] if pieces else "("
        if token.kind == "cast":
            # `%(id)s::INTEGER` and `?` are the same parameter on two drivers
            if previous not in ("?", "'%'"):
                pieces[-1:] = ["".join(pieces[-1:]) + re.sub(r"\s+", " ", token.text)]
        elif token.kind in ("string", "number", "parameter"):
            if previous == "-" and _starts_operand(pieces[-2] if len(pieces) > 1 else "("):
                pieces.pop()
            pieces.append("'%'" if token.text in _ANYTHING and "||" in (previous, _text_at(found, number + 1)) else "?")
        elif token.text == "(" and touches and previous[-1].isalnum() and previous.upper() not in _LIST_FOLLOWS:
            pieces[-1] += "("
        else:
            pieces.append(token.text)
    return _space(pieces).rstrip("; ")


def _text_at(found: list[Token], number: int) -> str:
    return found[number].text if number < len(found) else ""


def _starts_operand(before: str) -> bool:
    """Whether a minus after this piece is the sign of a number: `= -5`, `(-5`, `, -5`."""
    return before[-1] in "(,=<>+*/|" or before.upper() in _OPERAND_FOLLOWS


def _space(pieces: list[str]) -> str:
    """Join pieces with single spaces, none inside parentheses, before commas and around dots."""
    parts: list[str] = []
    previous = "("
    for piece in pieces:
        if parts and piece not in _UNSPACED_BEFORE and previous[-1] not in _UNSPACED_AFTER:
            parts.append(" ")
        parts.append(piece)
        previous = piece
    return "".join(parts)


def _collapse(text: str) -> str:
    """Make lists of any length equal: `IN (?, ?)` becomes `IN (?)`, rows after VALUES become one."""
    return _ROWS.sub(r"VALUES \1", _LIST.sub("IN (?)", text))


def _verb(found: list[Token], words: list[str]) -> str:
    first = next((word for word in words if word), "")
    if first in _TRANSACTION:
        return "TRANSACTION"
    if first != "WITH":
        return first
    depth = 0
    for index, (token, word) in enumerate(zip(found, words, strict=True)):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        opens_part = index > 1 and found[index - 1].text == "(" and words[index - 2] in ("AS", "MATERIALIZED")
        if word in _VERBS and (depth == 0 or (opens_part and word in WRITES)):
            return word
    return "SELECT"


def _tables(found: list[Token], words: list[str]) -> tuple[tuple[str, ...], bool, bool]:
    """Return the names of the tables, whether there is a FROM clause, and whether one holds a list."""
    names: dict[str, None] = {}
    has_from = has_list = False
    calls, in_from = [""], [False]
    for index, (token, word) in enumerate(zip(found, words, strict=True)):
        before = words[index - 1] if index else ""
        if token.text == "(":
            calls.append(before)
            in_from.append(False)
        elif token.text == ")" and len(calls) > 1:
            calls.pop()
            in_from.pop()
        elif word == "FROM" and before != "DISTINCT" and calls[-1] not in _FROM_IN_CALL:
            has_from = in_from[-1] = True
        elif word in _ENDS_FROM:
            in_from[-1] = False
        has_list = has_list or (token.text == "," and in_from[-1])
        if _precedes_table(token, word, before, in_from[-1]):
            after = index + 2 if words[index + 1 : index + 2] == ["ONLY"] else index + 1
            name = _name_at(found, words, after)
            if name:
                names[name] = None
    return tuple(names), has_from, has_list


def _precedes_table(token: Token, word: str, before: str, in_from: bool) -> bool:
    if word == "UPDATE":
        # not of FOR UPDATE, DO UPDATE, ON UPDATE, ON DUPLICATE KEY UPDATE
        return before not in ("FOR", "DO", "ON", "KEY")
    if word == "FROM" or token.text == ",":
        return in_from
    return word in ("JOIN", "INTO")


def _name_at(found: list[Token], words: list[str], index: int) -> str | None:
    """Return the possibly qualified name at a token, without quotes and schema; None when it is no name."""
    if index >= len(found) or found[index].kind not in ("word", "quoted") or words[index] in _NOT_A_TABLE:
        return None
    while index + 2 < len(found) and found[index + 1].text == "." and found[index + 2].kind in ("word", "quoted"):
        index += 2
    return found[index].text.strip('"`')


def _groups(found: list[Token]) -> dict[int, tuple[int, int]]:
    """Return where each parenthesis that opens is closed, and the number of its members."""
    groups: dict[int, tuple[int, int]] = {}
    opened: list[list[int]] = []
    for index, token in enumerate(found):
        if token.text == "(":
            opened.append([index, 1])
        elif token.text == "," and opened:
            opened[-1][1] += 1
        elif token.text == ")" and opened:
            start, members = opened.pop()
            groups[start] = (index, members)
    return groups | {start: (len(found), members) for start, members in opened}


def _longest_list(words: list[str], groups: dict[int, tuple[int, int]]) -> int:
    return max(
        (
            members
            for start, (_, members) in groups.items()
            if start and words[start - 1] == "IN" and words[start + 1 : start + 2] != ["SELECT"]
        ),
        default=0,
    )


def _value_rows(found: list[Token], words: list[str]) -> int:
    if "VALUES" not in words:
        return 0
    depth = rows = 0
    for token in found[words.index("VALUES") + 1 :]:
        rows += token.text == "(" and depth == 0
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.text not in (")", ","):
            break
    return rows


def _placeholders(found: list[Token], words: list[str], groups: dict[int, tuple[int, int]]) -> tuple[Placeholder, ...]:
    placeholders = []
    list_end = -1
    for index, token in enumerate(found):
        if words[index] == "IN" and index + 1 in groups:
            list_end = groups[index + 1][0]
        if token.kind == "parameter":
            role = "list" if index < list_end else _role(found, words, index)
            placeholders.append(Placeholder(_parameter_name(token.text), role))
    return tuple(placeholders)


def _role(found: list[Token], words: list[str], index: int) -> str:
    """Return what a parameter is compared with or used for, told by the token before (or after) it."""
    if index == 0:
        return "other"
    before, word = found[index - 1].text, words[index - 1]
    if word in ("LIMIT", "FETCH"):
        return "limit"
    if word == "OFFSET":
        return "offset"
    # a cast may stand after the lower end: BETWEEN ?::INTEGER AND ?
    if word == "BETWEEN" or (word == "AND" and "BETWEEN" in words[max(index - 4, 0) : index - 2]):
        return "range"
    if before in ("(", ","):
        before = _before_row(found, index)
    if before in _RANGE_SIGNS or (index + 1 < len(found) and found[index + 1].text in _RANGE_SIGNS):
        return "range"
    if before == "=":
        return "equal"
    return "other"


def _before_row(found: list[Token], index: int) -> str:
    """Return the token before the parenthesis that a parameter stands in: the `>` of `(a, b) > (?, ?)`."""
    while index > 1 and (found[index - 1].text == "," or found[index - 1].kind in ("parameter", "cast")):
        index -= 1
    return found[index - 2].text if index > 1 and found[index - 1].text == "(" else ""


def _parameter_name(text: str) -> str | None:
    if text.startswith("%("):
        return text[2:-2]
    if text.startswith(":"):
        return text[1:]
    return None


def _follows(words: list[str], first: str, seconds: tuple[str, ...]) -> bool:
    return any(a == first and b in seconds for a, b in pairwise(words))
