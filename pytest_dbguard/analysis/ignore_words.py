"""Reads the words that say what to ignore: `RULE` or `RULE:SUBJECT`, the same in every place."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.core.ignores import IgnoreWord
from pytest_dbguard.rules.registry import codes_matching


def read_word(text: str) -> IgnoreWord:
    """Return what a word means: RULE is a code, a prefix of codes ("DBG1"), a name, or "ALL"; SUBJECT may be a glob.

    Raises:
        ConfigError: For a word that names no rule, or has a colon and no subject; tells the nearest match.
    """
    rule, colon, subject = (part.strip() for part in text.strip().partition(":"))
    if not rule:
        raise ConfigError(f"{text!r} names no rule", hint="write RULE or RULE:SUBJECT, such as DBG101:Order.customer")
    if colon and not subject:
        raise ConfigError(f"{text!r} names no subject", hint=f"write {rule} for all, or {rule}:Order.customer")
    return IgnoreWord(text.strip(), codes_matching([rule]), subject)


def read_words(texts: Iterable[str]) -> tuple[IgnoreWord, ...]:
    """Return what the words mean.

    Raises:
        ConfigError: For the first that cannot be understood.
    """
    return tuple(read_word(text) for text in texts)


def read_narrow_word(text: str) -> IgnoreWord:
    """Return what a word in a comment means; there no word may stand for every rule.

    Raises:
        ConfigError: As `read_word`, and for "ALL" or "DBG".
    """
    word = read_word(text)
    rule = text.partition(":")[0].strip().upper()
    if rule == "ALL" or (rule.startswith("DBG") and not rule[3:4].isdigit()):
        raise ConfigError(f"{text!r} would hide every finding", hint="name the rules, such as DBG101 or DBG1")
    return word
