"""Reads the statements of a SQL file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_dbguard.core.findings import Site
from pytest_dbguard.linting.model import Origin, Snippet, SourceFindings
from pytest_dbguard.linting.placed_text import Lines, TextBuilder, verbatim
from pytest_dbguard.linting.styles import PARAMETERS, placeholder, style_of
from pytest_dbguard.sql.splitting import ScriptPart, script_parts

MAX_STATEMENT = 100_000
"""Characters of a statement; longer ones are rows that somebody dumped."""
_READS_OR_WRITES = re.compile(r"[\s(]*(?:select|insert|update|delete|merge|replace|with|values|table)\b", re.IGNORECASE)
_ROWS = re.compile(r"(?:insert|replace)\b(?:(?!\bselect\b).)*?\bvalues\b", re.IGNORECASE | re.DOTALL)
_BLOCKS = re.compile(r"\{%-?\s*\w+.*?%\}", re.DOTALL)
_TEMPLATE = re.compile(r"\{\{-?\s*[A-Za-z_][\w.]*(?:\(|\s*\||\s*-?\}\})|[$#]\{\w|<%")
_VARIABLES = re.compile(
    r"(?<![:\w]):(?P<mark>['\"])(?P<psql>\w+)(?P=mark)"
    r"|\bsqlc\.(?P<function>arg|narg|slice|embed)\(\s*'?(?P<sqlc>\w+)'?\s*\)"
)


def read_sql(text: str, path: str) -> SourceFindings:
    """Return what a SQL file holds: statements that read or write rows, and lines about what was not read.

    Never raises. Of rows that are inserted one statement a time, without a parameter, the first stands for all.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _BLOCKS.search(text):
        return SourceFindings(path, problems=(f"{path}: not read (a template)",))
    reader = _Reader(text, path)
    return SourceFindings(path, tuple(reader.snippets()), problems=tuple(reader.problems))


def sql_snippets(text: str, path: str) -> tuple[Snippet, ...]:
    """Return the statements of a SQL file that read or write rows, in the order of the file."""
    return read_sql(text, path).snippets


class _Reader:
    def __init__(self, text: str, path: str) -> None:
        self.problems: list[str] = []
        self._text = text
        self._path = path
        self._lines = Lines(text)
        self._rows: set[str] = set()

    def snippets(self) -> Iterator[Snippet]:
        for part in script_parts(self._text):
            statement = self._text[part.start : part.end]
            if _READS_OR_WRITES.match(statement) and self._can_be_read(part, statement):
                style = style_of(statement)
                if style or not self._repeats_rows(statement):
                    yield self._snippet(part, style)

    def _can_be_read(self, part: ScriptPart, statement: str) -> bool:
        reason = "a quote or comment in it never ends" if not part.is_closed else ""
        if len(statement) > MAX_STATEMENT:
            reason = reason or f"longer than {MAX_STATEMENT} characters"
        elif _TEMPLATE.search(statement):
            reason = reason or "a template"
        if reason:
            self.problems.append(f"{self._path}:{self._lines.place(part.start)[0]}: not read ({reason})")
        return not reason

    def _repeats_rows(self, statement: str) -> bool:
        rows = _ROWS.match(statement)
        if rows is None:
            return False
        head = " ".join(rows.group().lower().split())
        is_known = head in self._rows
        self._rows.add(head)
        return is_known

    def _snippet(self, part: ScriptPart, style: str) -> Snippet:
        builder = TextBuilder()
        at = part.start
        for start, end, text in self._replaced(part, style):
            self._copy(builder, at, start)
            builder.add(text, start)
            at = end
        self._copy(builder, at, part.end)
        site = Site(self._path, *self._lines.place(part.start), part.name, *self._lines.place(part.end))
        style = "named" if style == "at" else style or style_of(builder.text) or "qmark"
        lines = builder.lines(0, len(builder.text), self._lines)
        return Snippet(builder.text, style, site, Origin.SQL_FILE, lines)

    def _copy(self, builder: TextBuilder, start: int, end: int) -> None:
        for piece in verbatim(self._text, start, end):
            builder.add(piece.text, piece.at)

    def _replaced(self, part: ScriptPart, style: str) -> Iterator[tuple[int, int, str]]:
        """Yield what no driver takes, and what stands for it: variables of psql and sqlc, and `@name`."""
        if style == "at":
            for match in PARAMETERS.finditer(self._text, part.start, part.end):
                if match.lastgroup == "at":
                    yield match.start(), match.end(), f":{match.group()[1:]}"
            return
        for match in _VARIABLES.finditer(self._text, part.start, part.end):
            if match["psql"] is not None:
                stands = match["psql"] if match["mark"] == '"' else placeholder(style, match["psql"])
            else:
                stands = f"{match['sqlc']}.*" if match["function"] == "embed" else placeholder(style, match["sqlc"])
            yield match.start(), match.end(), stands
