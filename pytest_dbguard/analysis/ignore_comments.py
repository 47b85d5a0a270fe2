"""Finds ignore comments in source text, and the lines that each of them covers."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_dbguard.analysis.ignore_words import read_narrow_word
from pytest_dbguard.core.directives import FILE_IGNORE, MARK, VERBS, Directive, directives
from pytest_dbguard.core.errors import ConfigError, did_you_mean
from pytest_dbguard.core.ignores import IgnoreWord

_ALONE_IN_TEMPLATE = re.compile(r"\s*(?:\{#.*#\}|<%#.*%>|\#\#.*|<!--.*-->)\s*")
_BETWEEN_STATEMENTS = frozenset({tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.ENDMARKER})


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one comment, and what to do about it."""

    line: int
    text: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Comment:
    """One ignore comment: where it stands, and the lines it covers; it covers the file when `last` is None."""

    line: int
    words: tuple[IgnoreWord, ...]
    first: int = 1
    last: int | None = None

    def covers(self, first: int, last: int) -> bool:
        """Return whether it covers any of these lines."""
        return self.first <= last and (self.last is None or first <= self.last)


@dataclass(slots=True)
class SourceComments:
    """All ignore comments of one file, and the wrong ones, which silence nothing."""

    comments: list[Comment] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def add(self, written: Written, first: int, last: int) -> None:
        """Take in a comment that covers these lines; nothing when it does not speak to dbguard."""
        for directive in directives(written.text):
            problem = _problem(directive, written)
            if problem is not None:
                self.mistakes.append(problem)
                continue
            words = tuple(self._understood(directive.words or (), written.line))
            if words and directive.verb == FILE_IGNORE:
                self.comments.append(Comment(written.line, words))
            elif words:
                self.comments.append(Comment(written.line, words, first, last))

    def _understood(self, words: tuple[str, ...], line: int) -> Iterator[IgnoreWord]:
        for text in words:
            try:
                yield read_narrow_word(text)
            except ConfigError as error:
                self.mistakes.append(Mistake(line, text, error.message, error.hint or ""))


def python_comments(source: str) -> SourceComments:
    """Return the ignore comments of Python source, as far as Python can read it.

    A comment covers the statement that holds its line; of a compound statement, the head. Alone on its line it covers
    the statement right below it and below further lines of comments. Text in strings is no comment.
    """
    found = SourceComments()
    if MARK not in source:
        return found
    above: list[Written] = []
    for statement in _statements(source):
        while above and above[0].line + len(above) != statement.first:
            # a blank line lies between: it speaks for no statement, but perhaps for the file
            lonely = above.pop(0)
            found.add(lonely, lonely.line, lonely.line)
        for written in (*above, *statement.comments):
            found.add(written, statement.first, statement.last)
        above = statement.below
    for lonely in above:
        found.add(lonely, lonely.line, lonely.line)
    return found


def template_comments(source: str) -> SourceComments:
    """Return the ignore comments of a template or other text: behind something on its line, or alone above it."""
    found = SourceComments()
    if MARK not in source:
        return found
    for number, line in enumerate(source.splitlines(), 1):
        if MARK in line:
            is_alone = _ALONE_IN_TEMPLATE.fullmatch(line) is not None
            found.add(Written(line, number, at_edge=True), number, number + is_alone)
    return found


class Written(NamedTuple):
    """A comment as it was written, its line, and whether that line begins at the left edge."""

    text: str
    line: int
    at_edge: bool


@dataclass(slots=True)
class _Statement:
    """One logical line: its lines, the comments in it, and those alone on their lines below it."""

    first: int = 0
    last: int = 0
    comments: list[Written] = field(default_factory=list)
    below: list[Written] = field(default_factory=list)


def _statements(source: str) -> Iterator[_Statement]:
    """Yield the logical lines, after an empty one for what stands above the first."""
    statement, is_open, at_edge = _Statement(), False, True
    # source that Python cannot read ran nowhere: what stands above the fault is enough
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            line, column = token.start
            if token.type == tokenize.COMMENT and is_open:
                statement.comments.append(Written(token.string, line, at_edge))
            elif token.type == tokenize.COMMENT:
                statement.below.append(Written(token.string, line, column == 0))
            elif token.type == tokenize.NEWLINE:
                statement.last, is_open = line, False
            elif token.type not in _BETWEEN_STATEMENTS and not is_open:
                yield statement
                statement, is_open, at_edge = _Statement(line, line), True, column == 0
    yield statement


def _problem(directive: Directive, written: Written) -> Mistake | None:
    """Return what is wrong with a comment as a whole."""
    verb, words, is_closed = directive
    if verb not in VERBS:
        message, hint = f"unknown comment `dbguard: {verb}`", did_you_mean(verb, VERBS)
    elif not words:
        message, hint = f"`{verb}` names no rule and silences nothing", f"write {verb}[DBG101] and the reason"
    elif not is_closed:
        message, hint = f"`{verb}[` is not closed and silences nothing", f"write {verb}[{words[0].split()[0]}]"
    elif verb == FILE_IGNORE and not written.at_edge:
        message = f"`{verb}` silences nothing inside of a function or class"
        hint = "put it at the left edge of the file"
    else:
        return None
    return Mistake(written.line, verb, message, hint)
