"""Tells from tokens whether an UPDATE or DELETE says which rows: a WHERE that can be false, a JOIN, a LIMIT."""

from __future__ import annotations

from itertools import groupby

from pytest_dbguard.sql.tokens import Token

_CHANGES = frozenset({"UPDATE", "DELETE"})
_FILTERS = frozenset({"JOIN", "LIMIT", "FETCH"})
_ENDS_WHERE = frozenset({"RETURNING", "ORDER", "LIMIT", "OPTION"})


def is_unfiltered(found: list[Token], words: list[str]) -> bool:
    """Whether any UPDATE or DELETE in the statement, also one in a WITH, changes every row of its table."""
    return any(
        _changes_all(_own_tokens(found, words, index))
        for index, word in enumerate(words)
        # it begins the statement, or follows the parentheses of WITH; elsewhere it is a name or FOR UPDATE
        if word in _CHANGES and (index == 0 or found[index - 1].text in ("(", ")"))
    )


def _own_tokens(found: list[Token], words: list[str], start: int) -> list[tuple[Token, str]]:
    """Return the tokens of the statement that starts here, with their words; of parentheses the words do not count."""
    own: list[tuple[Token, str]] = []
    depth = 0
    for token, word in zip(found[start:], words[start:], strict=True):
        if token.text == ")":
            depth -= 1
            if depth < 0:
                break
        own.append((token, word if depth == 0 else ""))
        depth += token.text == "("
    return own


def _changes_all(own: list[tuple[Token, str]]) -> bool:
    words = [word for _, word in own]
    if not _FILTERS.isdisjoint(words):
        return False
    if "WHERE" not in words:
        return True
    start = words.index("WHERE") + 1
    end = next((i for i in range(start, len(words)) if words[i] in _ENDS_WHERE), len(words))
    condition = [token for token, _ in own[start:end] if token.text not in ("(", ")", ";")]
    return _is_always_true(condition)


def _is_always_true(condition: list[Token]) -> bool:
    """Whether each side of AND is `true`, `1`, or an equation of two equal literals."""
    parts = [list(part) for is_and, part in groupby(condition, _is_and) if not is_and]
    return bool(parts) and all(_is_constant_truth(part) for part in parts)


def _is_and(token: Token) -> bool:
    return token.text.upper() == "AND"


def _is_constant_truth(part: list[Token]) -> bool:
    texts = [token.text.upper() for token in part]
    if len(part) == 1:
        return texts[0] == "TRUE" or (part[0].kind == "number" and texts[0].strip("0.") != "")
    return len(part) == 3 and texts[1] in ("=", "==") and texts[0] == texts[2] and _is_literal(part[0])


def _is_literal(token: Token) -> bool:
    return token.kind in ("number", "string")
