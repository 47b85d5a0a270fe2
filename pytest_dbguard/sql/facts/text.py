"""Makes a tree of a statement: parameters by number, long lists cut, what sqlglot does not read said otherwise."""

from __future__ import annotations

from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from pytest_dbguard.sql.facts.writing import Writing
from pytest_dbguard.sql.placeholders import Lexeme, lexemes

MAX_DEPTH = 100
"""Parentheses in parentheses that are still read: each costs several frames of Python's stack."""
MAX_MEMBERS = 6
"""Members of a list and rows of VALUES that are read; more say nothing else and cost 50 µs each."""
PLANNED = frozenset({"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES", "TABLE"})
"""What statements begin with that read or write rows."""
_SIMPLE = frozenset({"parameter", "number", "string", "cast"})
_BEFORE_OPERAND = frozenset(
    {"WHERE", "AND", "OR", "NOT", "ON", "WHEN", "THEN", "ELSE", "BETWEEN", "BY", "SELECT", "HAVING"}
    | {"(", ",", "=", "==", "<", ">", "<=", ">=", "<>", "!="}
)
_CONFLICT = frozenset({"IGNORE", "REPLACE", "ABORT", "FAIL", "ROLLBACK"})


class NotUnderstood(Exception):
    """A statement, or a part of one, whose meaning is not known here; the text says which."""


def tree_of(sql: str, dialect: str) -> tuple[exp.Expr, Writing]:
    """Return the tree of a statement whose parameters are `exp.Placeholder` named p0, p1, ..., and its text.

    Raises:
        NotUnderstood: It is too deep, or no statement that sqlglot reads.
    """
    is_postgres = dialect == "postgresql"
    found = lexemes(sql, "numeric_dollar" if is_postgres else "qmark")
    _refuse(found, is_postgres=is_postgres)
    text = _written(sql, found, is_postgres=is_postgres)
    reads = "postgres" if is_postgres else "sqlite"
    try:
        tree = sqlglot.parse_one(text, read=reads)
    except SqlglotError:
        raise NotUnderstood("not readable") from None
    except RecursionError:
        raise NotUnderstood("too deep") from None
    if tree is None or isinstance(tree, exp.Command):
        raise NotUnderstood("not readable")
    return tree, Writing(text, reads)


def ordinal_of(node: exp.Expr) -> int | None:
    """Return the number of a parameter, from 0; None for all else."""
    name = node.args.get("this") if isinstance(node, exp.Placeholder) else None
    return int(name[1:]) if isinstance(name, str) and name[1:].isdigit() else None


def _refuse(found: list[Lexeme], *, is_postgres: bool) -> None:
    """Raise for what sqlglot would warn of in its log, take for something else, or not come back from."""
    first = next((token for token in found if token.text != "("), None)
    word = first.text.upper() if first is not None and first.kind == "word" else ""
    if word not in PLANNED:
        raise NotUnderstood(f"{word or 'what is no word'} has no plan")
    if _depth(found) > MAX_DEPTH:
        raise NotUnderstood("parentheses too deep")
    words = [token.text.upper() for token in found]
    if is_postgres and any(pair in (("IS", "UNKNOWN"), ("NOT", "UNKNOWN")) for pair in pairwise(words)):
        raise NotUnderstood("IS UNKNOWN")


def _depth(found: list[Lexeme]) -> int:
    depth = deepest = 0
    for token in found:
        depth += (token.text == "(") - (token.text == ")")
        deepest = max(deepest, depth)
    return deepest


def _written(sql: str, found: list[Lexeme], *, is_postgres: bool) -> str:
    """Write the text as sqlglot reads it in both dialects and all versions."""
    words = [token.text.upper() if token.kind in ("word", "sign") else "" for token in found]
    cut = _cut(found, words)
    parts: list[str] = []
    count, end = 0, 0
    for index, token in enumerate(found):
        piece = token.text
        if token.key is not None:
            # SQLite's question marks are counted, PostgreSQL's numbers told
            piece = f":p{token.key if is_postgres else count}"
            count += 1
        elif not is_postgres:
            piece = _said_otherwise(words, token, index)
        if index not in cut:
            parts += (" ", piece) if token.start != end else (piece,)
            end = token.end
    return "".join(parts)


def _said_otherwise(words: list[str], token: Lexeme, index: int) -> str:
    """Return what SQLite's own words are in others: REPLACE INTO, UPDATE OR IGNORE, the plus before a column."""
    word = words[index]
    before = words[index - 1] if index else ""
    if word == "REPLACE" and before != "OR" and words[index + 1 : index + 2] == ["INTO"]:
        return "INSERT"
    if word == "OR" and before == "UPDATE":
        return ""
    if word in _CONFLICT and words[max(index - 2, 0) : index] == ["UPDATE", "OR"]:
        return ""
    if word == "+" and before in _BEFORE_OPERAND:
        # it keeps an index away, as any arithmetic does; sqlglot drops it
        return "-"
    return token.text


def _cut(found: list[Lexeme], words: list[str]) -> frozenset[int]:
    """Return the tokens that are left out: members of lists of plain values, and rows of VALUES, after the first."""
    cut: set[int] = set()
    opened: list[tuple[int, list[int]]] = []
    for index, word in enumerate(words):
        if word == "(":
            opened.append((index, []))
        elif word == "," and opened:
            opened[-1][1].append(index)
        elif word == ")" and opened:
            start, commas = opened.pop()
            before = words[start - 1] if start else ""
            if len(commas) >= MAX_MEMBERS and before == "IN" and _is_simple(found[start + 1 : index]):
                cut.update(range(commas[MAX_MEMBERS - 1], index))
    return frozenset(cut | _further_rows(words))


def _is_simple(members: list[Lexeme]) -> bool:
    return all(token.kind in _SIMPLE or token.text in (",", "-", "(", ")") for token in members)


def _further_rows(words: list[str]) -> set[int]:
    """Return the tokens of the rows of each VALUES that are too many."""
    cut: set[int] = set()
    for index, word in enumerate(words):
        if word != "VALUES":
            continue
        depth = rows = 0
        for at in range(index + 1, len(words)):
            depth += (words[at] == "(") - (words[at] == ")")
            if depth < 0 or (depth == 0 and words[at] not in (",", ")")):
                break
            rows += words[at] == "," and depth == 0
            if rows >= MAX_MEMBERS:
                cut.add(at)
    return cut
