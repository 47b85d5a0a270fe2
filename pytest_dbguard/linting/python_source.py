"""Reads the statements of a Python file: strings that are executed, or that are constants of SQL.

Expressions of the ORM and of Core are not read: what they make is known when they run.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from pytest_dbguard.core.findings import Site
from pytest_dbguard.linting.constants import Evaluator, Made
from pytest_dbguard.linting.interpolation import Put, Written, written
from pytest_dbguard.linting.model import Interpolation, Origin, Snippet, SourceFindings
from pytest_dbguard.linting.placed_text import Hole, Lines
from pytest_dbguard.linting.recognising import is_statement, is_surely_statement, may_hold_statements
from pytest_dbguard.linting.scopes import Candidate, FileWalk, Kind
from pytest_dbguard.linting.styles import PARAMETERS
from pytest_dbguard.sql.splitting import ScriptPart, script_parts

_RANKS = {Kind.TEXT: 0, Kind.EXECUTED: 1, Kind.CONSTANT: 2}


def read_python(source: str, path: str) -> SourceFindings:
    """Return what a Python file holds, a problem where Python cannot read it; never raises."""
    try:
        return SourceFindings(path, python_snippets(source, path))
    except SyntaxError as error:
        line = f":{error.lineno}" if error.lineno else ""
        return SourceFindings(path, problems=(f"{path}{line}: not read (no Python: {error.msg})",))
    except (ValueError, RecursionError, MemoryError) as error:
        return SourceFindings(path, problems=(f"{path}: not read ({type(error).__name__})",))


def python_snippets(source: str, path: str) -> tuple[Snippet, ...]:
    """Return the statements of Python source, in the order of the file.

    Raises:
        SyntaxError: For what Python cannot read.
    """
    if not may_hold_statements(source):
        return ()
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    with warnings.catch_warnings():
        # of escapes in other people's strings
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    return tuple(_File(source, tree, path).snippets())


class _File:
    def __init__(self, source: str, tree: ast.Module, path: str) -> None:
        self._path = path
        self._lines = Lines(source)
        self._walk = FileWalk(tree)
        self._evaluator = Evaluator(self._walk, self._lines)
        names = self._walk.module.bindings
        is_django = "Migration" in self._walk.classes and "migrations" in names
        is_migration = is_django or {"revision", "down_revision"} <= names.keys()
        self._origin = Origin.MIGRATION if is_migration else Origin.PYTHON

    def snippets(self) -> list[Snippet]:
        """Return all statements, each once, those that are executed before constants that nobody is seen to execute."""
        made = [
            (candidate, text)
            for candidate in self._walk.candidates
            if (text := self._evaluator.made(candidate.node, candidate.place)) is not None and text.parts
        ]
        # longer ones first: a constant that is a part of others is no statement of its own
        made.sort(key=lambda pair: (_RANKS[pair[0].kind], -len(pair[1].literals)))
        found: dict[tuple[Site, str], Snippet] = {}
        used: set[int] = set()
        for candidate, text in made:
            if candidate.kind is Kind.CONSTANT and not used.isdisjoint(text.literals):
                continue
            for snippet in self._of(candidate, text):
                found.setdefault((snippet.site, snippet.text), snippet)
                used |= text.literals
        return sorted(found.values(), key=lambda snippet: (snippet.site.line, snippet.site.column or 0))

    def _of(self, candidate: Candidate, made: Made) -> Iterator[Snippet]:
        out = written(made.parts)
        text = out.builder.text
        is_sql = is_surely_statement(text) if candidate.kind is Kind.CONSTANT else is_statement(text)
        if is_sql:
            yield from self._statements(candidate, made, out)
        elif any(put.is_value for put in out.puts) and _may_be_part(candidate, made):
            start, end = _stripped(text, 0, len(text))
            yield self._snippet(candidate, out, (start, start, end), out.puts, is_whole=False)

    def _statements(self, candidate: Candidate, made: Made, out: Written) -> Iterator[Snippet]:
        """Yield the statements of a text, each with the comments above it."""
        text = out.builder.text
        is_single = not any(sign in text for sign in (";", "--", "/*"))
        parts = [ScriptPart(*_stripped(text, 0, len(text)))] if is_single else list(script_parts(text))
        start = 0
        for part, following in zip_longest(parts, parts[1:]):
            if is_statement(text[part.start : part.end]):
                is_whole = made.is_whole and out.is_whole and part.is_closed
                limit = following.start if following is not None else len(text) + 1
                puts = [put for put in out.puts if start <= put.offset < limit]
                begin, _ = _stripped(text, start, part.start + 1)
                yield self._snippet(candidate, out, (begin, part.start, part.end), puts, is_whole=is_whole)
            start = part.end

    def _snippet(
        self, candidate: Candidate, out: Written, stretch: tuple[int, int, int], puts: Sequence[Put], *, is_whole: bool
    ) -> Snippet:
        """Return a snippet; the stretch is where its comments begin, where its SQL does, and where it ends."""
        start, begin, end = stretch
        text = out.builder.text[start:end]
        site = self._site(candidate, out.builder.source_of(begin), out.builder.source_of(end - 1) + 1)
        lines = out.builder.lines(start, end, self._lines)
        if out.style == "at":
            text = PARAMETERS.sub(lambda match: match.group().replace("@", ":") if match["at"] else match.group(), text)
        style = "named" if out.style == "at" else out.style or "qmark"
        if candidate.kind is Kind.TEXT:
            # so that offsets stay what they are
            text = text.replace(r"\:\:", "::  ")
        put_in = tuple(map(self._interpolation, puts))
        return Snippet(text, style, site, self._origin, lines, put_in, is_whole, out.is_generic)

    def _site(self, candidate: Candidate, start: int, end: int) -> Site:
        """Return where a text stands; where it is made, for one that begins with a constant from elsewhere."""
        scope = candidate.place.scope
        line, _ = self._lines.place(start)
        last_line, _ = self._lines.place(end)
        is_far = not scope.first_line <= line <= scope.last_line
        if is_far and self._walk.scope_at(line) is not self._walk.scope_at(last_line):
            return self._between(
                self._lines.offset(candidate.node.lineno, candidate.node.col_offset),
                self._lines.offset(candidate.node.end_lineno or line, candidate.node.end_col_offset or 0),
            )
        return self._between(start, max(start, end))

    def _between(self, start: int, end: int) -> Site:
        line, column = self._lines.place(start)
        return Site(self._path, line, column, self._walk.scope_at(line).name, *self._lines.place(end))

    def _interpolation(self, put: Put) -> Interpolation:
        hole = put.hole
        site = self._between(hole.at, hole.end)
        return Interpolation(site, hole.expression, put.is_value, put.is_quoted, hole.how, hole.name)


def _may_be_part(candidate: Candidate, made: Made) -> bool:
    """Whether a text is a part of a statement: a fragment, or what follows a beginning from elsewhere."""
    begins_elsewhere = candidate.kind is Kind.EXECUTED and isinstance(made.parts[0], Hole)
    return candidate.kind is Kind.TEXT or begins_elsewhere


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where a stretch of text begins and ends without blanks and semicolons around it."""
    stretch = text[start:end]
    return start + len(stretch) - len(stretch.lstrip("; \t\n\r\f")), start + len(stretch.rstrip())
