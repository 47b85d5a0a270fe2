"""Tells statements from other text, by their words."""

from __future__ import annotations

import re

_BLANK = r"(?:\s|\\[nt]|\\\r?\n|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
_NAME = r"(?:[\w$.\"`\[\]-]+)"
_BEGINS = rf"""
    {_BLANK}\(*\s*(?:
      (?P<select>select)(?=[\s*('"`])(?!\s*[=<>!])
    | (?P<with>with)\s+(?:recursive\s+)?{_NAME}\s*(?:\([^)]*\)\s*)?as\b[\s\w]*\(
    | (?P<insert>insert)\s+(?:(?:or\s+\w+|ignore|low_priority|delayed)\s+)?into\s+{_NAME}
    | (?P<replace>replace)\s+into\s+{_NAME}
    | (?P<update>update)\s+(?:or\s+\w+\s+)?(?:only\s+)?{_NAME}(?:(?:\s+as)?\s+\w+)?[^;=]*?\sset(?:\s|$)
    | (?P<delete>delete)\s+(?:{_NAME}\s+)?from\s+{_NAME} | (?P<merge>merge)\s+into\s+{_NAME}
    | (?P<values>values)\s*\( | (?P<call>call)\s+{_NAME}\s*\(
    )"""
_STATEMENT = re.compile(_BEGINS, re.VERBOSE | re.DOTALL | re.IGNORECASE)
_SOURCE = re.compile(r"\b(?:from|into|set)\b|^\s*with\b", re.IGNORECASE)
_PROSE = re.compile(r"\b(?:the|your|please|an|this|that|you|of|a(?=\s+\w+\s+from))\b|[.!…]\s*$|\{\w*\}", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_VERB = re.compile(r"[\s\\(*]")
_AFTER = {
    **dict.fromkeys(("select", "insert", "update", "delete", "merge", "replace", "call"), _VERB),
    "with": re.compile(r"\s+[\w.\"]+\s*(?:\(|as\b|\w+\s+as\b)"),
    "values": re.compile(r"\s*\("),
    "text(": re.compile(r"\s*[frb]{0,2}['\"]"),
}
_BEFORE = re.compile(r"(?:['\"](?:\s|\\[nt]|\\\n|\()*|\*/\s*|--[^\n]*(?:\n|\\n)\s*)$")


def may_hold_statements(source: str) -> bool:
    """Return whether source of Python can hold a statement; about 100 µs for one of 1000 lines that cannot."""
    folded = source.lower()
    return any(_is_led_by(word, folded) for word in _AFTER)


def _is_led_by(word: str, folded: str) -> bool:
    """Return whether a string begins with a word; searching words first costs less than looking at each quote."""
    at = folded.find(word)
    while at >= 0:
        end = at + len(word)
        if _AFTER[word].match(folded, end) and _begins(word, folded, at):
            return True
        at = folded.find(word, end)
    return False


def _begins(word: str, folded: str, at: int) -> bool:
    if word == "text(":
        return not (folded[at - 1].isalnum() or folded[at - 1] == "_")
    return _BEFORE.search(folded[max(at - 200, 0) : at]) is not None


def is_statement(text: str) -> bool:
    """Return whether text begins like a statement that reads or writes rows."""
    return _STATEMENT.match(text) is not None


def is_surely_statement(text: str) -> bool:
    """Return whether text is a statement although nothing shows that it is executed.

    It has its keywords all in capitals or all in small letters, names where rows come from or go to, does not read
    like English, and can be parsed.
    """
    match = _STATEMENT.match(text)
    if match is None or not _SOURCE.search(text) or (match["update"] is not None and "=" not in text):
        return False
    verb = match[match.lastgroup or 0]
    if not (verb.isupper() or verb.islower()) or _PROSE.search(_QUOTED.sub("''", text)):
        return False
    has_same_case = all(word.isupper() == verb.isupper() for word in _keywords(text))
    return has_same_case and _parses(text)


def _keywords(text: str) -> list[str]:
    return re.findall(r"\b(?:from|into)\b", _QUOTED.sub("''", text), re.IGNORECASE)


def _parses(text: str) -> bool:
    from pytest_dbguard.sql.parse import parse

    return parse(re.sub(r"%\(\w+\)s|%s", "?", text)) is not None
