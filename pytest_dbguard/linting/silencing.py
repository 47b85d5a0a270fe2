"""Leaves out what comments in a source silence, beside a statement or in its text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_dbguard.analysis.ignore_comments import SourceComments, python_comments
from pytest_dbguard.analysis.ignore_words import read_narrow_word
from pytest_dbguard.analysis.sql_comments import sql_comments
from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.core.findings import Finding
from pytest_dbguard.core.ignores import IgnoreWord


def comments_of(text: str, *, is_sql: bool) -> SourceComments:
    """Return the ignore comments of a source."""
    return sql_comments(text) if is_sql else python_comments(text)


def mistakes_in(path: str, comments: SourceComments) -> tuple[str, ...]:
    """Return a line for each comment that silences nothing because it is wrong."""
    return tuple(
        f"{path}:{each.line}: {each.message}" + (f" ({each.hint})" if each.hint else "") for each in comments.mistakes
    )


def is_silenced(finding: Finding, comments: SourceComments, words: Iterable[str] = ()) -> bool:
    """Return whether a comment covers a finding's line, or one in the text of its statement names its rule."""
    site = finding.site
    if site is not None:
        last = max(site.line, site.end_line or site.line)
        covering = (each for each in comments.comments if each.covers(site.line, last))
        if any(word.names(finding) for each in covering for word in each.words):
            return True
    return any(word.names(finding) for word in _understood(words))


def _understood(words: Iterable[str]) -> Iterator[IgnoreWord]:
    for text in words:
        try:
            yield read_narrow_word(text)
        except ConfigError:
            continue
