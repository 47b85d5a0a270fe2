"""Finds expressions in the text of their statement: an index serves a call only as it is written there.

sqlglot writes `substr(a, 1, 3)` as `SUBSTRING(a FROM 1 FOR 3)` and `ifnull` as `coalesce`, which are other functions to
the databases when they compare an expression with that of an index.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from pytest_dbguard.sql.facts.trees import children, lazy
from pytest_dbguard.sql.placeholders import Lexeme, lexemes

_NO_CALLS = (exp.Cast, exp.TryCast, exp.Case, exp.Connector, exp.Extract)


class Writing:
    """The text of one statement, as its tree was made of."""

    def __init__(self, text: str, dialect: str) -> None:
        self.text = text
        self._dialect = dialect
        self._style = "numeric_dollar" if dialect == "postgres" else "qmark"

    @lazy
    def _lexemes(self) -> list[Lexeme]:
        return lexemes(self.text, self._style)

    @lazy
    def _calls(self) -> list[tuple[exp.Expr, str]]:
        """Return each call in the text, with the text; inner ones first."""
        calls: list[tuple[exp.Expr, str]] = []
        for first, last in self._spans():
            tokens = self._lexemes[first : last + 1]
            tree = self._parsed(self.text[tokens[0].start : tokens[-1].end])
            if tree is not None:
                calls.append((tree, _bare(tokens, self.text)))
        return calls

    def _parsed(self, call: str) -> exp.Expr | None:
        """Return the tree of a call; by itself sqlglot takes replace(...) for a command, and says so to stderr."""
        try:
            found = sqlglot.parse_one(f"SELECT {call}", read=self._dialect).expressions
        except SqlglotError:
            return None
        return found[0] if len(found) == 1 else None

    def _spans(self) -> Iterator[tuple[int, int]]:
        """Yield the first and last token of each word with parentheses that hold no query."""
        opened: list[int] = []
        for index, token in enumerate(self._lexemes):
            if token.text == "(":
                opened.append(index)
            elif token.text == ")" and opened:
                start = opened.pop()
                is_call = start > 0 and self._lexemes[start - 1].kind == "word"
                words = {inner.text.upper() for inner in self._lexemes[start : index + 1] if inner.kind == "word"}
                if is_call and not words & {"SELECT", "VALUES"}:
                    yield start - 1, index

    def calls_in(self, node: exp.Expr) -> dict[exp.Expr, str]:
        """Return the text of each outermost call in an expression that stands in the statement."""
        found: dict[exp.Expr, str] = {}
        pending = [node]
        while pending:
            part = pending.pop()
            is_call = isinstance(part, exp.Func) and not isinstance(part, _NO_CALLS)
            text = next((text for tree, text in self._calls if tree == part), None) if is_call else None
            if text is not None:
                found[part] = text
            else:
                pending += children(part)
        return found


def _bare(tokens: list[Lexeme], text: str) -> str:
    """Return tokens as they stand, without the aliases before columns and the numbers of parameters."""
    parts: list[str] = []
    end = tokens[0].start
    for index, token in enumerate(tokens):
        following = tokens[index + 1].text if index + 1 < len(tokens) else ""
        before = tokens[index - 1].text if index else ""
        parts.append(" " if text[end : token.start] != text[end : token.start].strip() else "")
        end = token.end
        is_alias = token.kind in ("word", "quoted") and following == "."
        if is_alias or (token.text == "." and index and tokens[index - 1].kind in ("word", "quoted")):
            continue
        is_parameter = token.key is not None or (before == ":" and token.text[:1] == "p")
        parts.append("?" if is_parameter else "" if token.text == ":" and following[:1] == "p" else token.text)
    return "".join(parts)
