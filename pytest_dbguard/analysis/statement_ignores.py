"""What silences a draft by its statements: blocks of `dbguard.ignore(...)`, and comments in the SQL text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from pytest_dbguard.analysis.ignore_words import read_narrow_word
from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.core.findings import Finding
from pytest_dbguard.core.ignores import Ignore, IgnoreKind, IgnoreWord
from pytest_dbguard.recording.model import Recording, Statement


def silencing(finding: Finding, numbers: frozenset[int], recording: Recording) -> tuple[Ignore, ...]:
    """Return what silences a finding that accounts for these statements: it must hold for each of them."""
    blocks = (ignore for block in recording.ignores for ignore in block.silencing(finding, numbers))
    return (*blocks, *_in_sql(finding, numbers, recording))


def written_for(statement: Statement, recording: Recording) -> Iterator[Ignore]:
    """Yield all that blocks and comments in the SQL say of a statement, whatever finding it may be about."""
    for block in recording.ignores:
        if block.start <= statement.number < block.end:
            yield from block.ignores
    for text in statement.text.ignores:
        word = _understood(text)
        if isinstance(word, IgnoreWord):
            yield Ignore(IgnoreKind.SQL, word)


def wrong_words(recording: Recording) -> Iterator[tuple[str, int, ConfigError]]:
    """Yield the words in comments of statements that name no rule, the statement's number, and what is wrong."""
    for number, raw in enumerate(recording.raw):
        for text in raw[0].ignores:
            word = _understood(text)
            if isinstance(word, ConfigError):
                yield text, number, word


def _in_sql(finding: Finding, numbers: frozenset[int], recording: Recording) -> tuple[Ignore, ...]:
    found: dict[Ignore, None] = {}
    if not numbers <= set(range(len(recording.raw))):
        return ()
    for number in sorted(numbers):
        words = [
            word
            for text in recording.raw[number][0].ignores
            if isinstance(word := _understood(text), IgnoreWord) and word.names(finding)
        ]
        if not words:
            return ()
        found |= {Ignore(IgnoreKind.SQL, word): None for word in words}
    return tuple(found)


@cache
def _understood(text: str) -> IgnoreWord | ConfigError:
    try:
        return read_narrow_word(text)
    except ConfigError as error:
        return error
