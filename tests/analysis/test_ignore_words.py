"""The words that say what to ignore: one grammar in every place."""

from __future__ import annotations

import pytest

from pytest_dbguard.analysis.ignore_words import read_narrow_word, read_word
from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.core.findings import Finding, Severity


def finding(rule="DBG101", subject="Order.items"):
    return Finding(rule, "name", Severity.ERROR, subject, "message")


@pytest.mark.parametrize(
    ("text", "silenced"),
    [
        ("DBG101", True),
        ("dbg1", True),
        ("N-Plus-One", True),
        ("ALL", True),
        ("DBG103", False),
        ("DBG101:Order.items", True),
        (" n-plus-one : Order.* ", True),
        ("DBG1:*.items", True),
        ("DBG101:order.items", False),
        ("DBG101:Order", False),
        ("DBG103:Order.items", False),
    ],
)
def test_words(text, silenced):
    assert read_word(text).names(finding()) is silenced


def test_subjects_with_colons_and_brackets():
    test = "tests/test_a.py::test[one]"
    assert read_word(f"DBG901:{test}").names(finding("DBG901", test))
    assert read_word("DBG901:tests/*").names(finding("DBG901", test))


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("DBG999", "unknown rule 'DBG999'", ""),
        ("n-plus-on:Order.items", "unknown rule 'n-plus-on'", "did you mean 'n-plus-one'?"),
        ("", "'' names no rule", "RULE:SUBJECT"),
        (":Order.items", "':Order.items' names no rule", "RULE:SUBJECT"),
        ("DBG101:", "'DBG101:' names no subject", "write DBG101 for all"),
    ],
)
def test_wrong_words(text, message, hint):
    with pytest.raises(ConfigError) as caught:
        read_word(text)
    assert caught.value.message == message
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["ALL", "all", "DBG", "dbg:Order.items"])
def test_a_word_in_a_comment_stands_for_some_rules(text):
    assert read_word(text)
    with pytest.raises(ConfigError, match="would hide every finding"):
        read_narrow_word(text)
