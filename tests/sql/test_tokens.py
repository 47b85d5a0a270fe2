"""Tokens: every kind in every dialect, comments and whitespace dropped, nothing lost, nothing raised."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_dbguard.sql.tokens import tokens

STEADY = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def kinds(text):
    return [(token.kind, token.text) for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("'plain'", "string"),
        ("''", "string"),
        ("'it''s'", "string"),
        ("'two\nlines'", "string"),
        ("'a -- no comment /* either */'", "string"),
        (r"E'it\'s'", "string"),
        (r"e'back\\'", "string"),
        ("N'national'", "string"),
        ("b'0101'", "string"),
        ("X'ff'", "string"),
        ("$$dollar 'quoted'$$", "string"),
        ("$tag$ a $$ b $tag$", "string"),
        ("$tag1$ a $tag1$", "string"),
        ("'without an end", "string"),
        ("E'without an end\\", "string"),
        ('"Column"', "quoted"),
        ('"with ""quotes"""', "quoted"),
        ("`back ticks`", "quoted"),
        ("?", "parameter"),
        ("%s", "parameter"),
        ("%(name_1)s", "parameter"),
        (":name_1", "parameter"),
        ("$12", "parameter"),
        ("42", "number"),
        ("4_200_000", "number"),
        ("4.2", "number"),
        (".5", "number"),
        ("4.2e-10", "number"),
        (".5E3", "number"),
        ("1e5", "number"),
        ("0xDEADbeef", "number"),
        ("::INTEGER", "cast"),
        ("::VARCHAR(30)", "cast"),
        ("::NUMERIC(10, 2)", "cast"),
        ("::TIMESTAMP WITH TIME ZONE", "cast"),
        ("::time without time zone", "cast"),
        ("::DOUBLE PRECISION", "cast"),
        ("::CHARACTER VARYING(10)", "cast"),
        ("::INTEGER[]", "cast"),
        ("::public.mood", "cast"),
        ('::"Mood"', "cast"),
        ("word", "word"),
        ("_private1", "word"),
        ("col$1", "word"),
        ("größe", "word"),
        ("<=", "sign"),
        ("<>", "sign"),
        ("||", "sign"),
        ("->>", "sign"),
        ("#>>", "sign"),
        ("@>", "sign"),
        ("!~~*", "sign"),
    ],
)
def test_one_token(text, kind):
    assert kinds(text) == [(kind, text)]


@pytest.mark.parametrize(
    "text", ["-- to the end", "/* block */", "/* two\nlines */", "/* without an end", " \t\n", "-- a\n-- b", ""]
)
def test_nothing_to_tell(text):
    assert kinds(text) == []


def test_comment_ends_with_its_line():
    assert kinds("a -- b\nc") == [("word", "a"), ("word", "c")]


def test_block_comment_ends_at_the_first_end():
    assert kinds("a /* b */ c /* d */ e") == [("word", "a"), ("word", "c"), ("word", "e")]


def test_offsets_count_characters_of_the_statement():
    text = "SELECT  größe\nFROM t"
    assert all(text[t.offset : t.offset + len(t.text)] == t.text for t in tokens(text))


def test_strings_next_to_words():
    assert kinds("date'2020-01-01'") == [("word", "date"), ("string", "'2020-01-01'")]
    assert kinds("xe'a'") == [("word", "xe"), ("string", "'a'")]


@STEADY
@given(st.text())
def test_any_text_is_read_without_loss(text):
    """What is no token is whitespace or a comment; tokens do not overlap."""
    end = 0
    for token in tokens(text):
        between = text[end : token.offset].strip()
        assert not between or between.startswith(("--", "/*"))
        assert text[token.offset : token.offset + len(token.text)] == token.text
        assert token.text
        end = token.offset + len(token.text)


@STEADY
@given(st.text(alphabet="'\"`$-/*\\ \nab1:%?().,<>=|"))
def test_text_of_awkward_signs_is_read(text):
    found = list(tokens(text))
    assert [token.offset for token in found] == sorted({token.offset for token in found})
