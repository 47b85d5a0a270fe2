"""Comments in source files that silence findings about their lines."""

from __future__ import annotations

import tokenize
from collections.abc import Iterator
from pathlib import Path

from pytest_dbguard.analysis.ignore_comments import Mistake, SourceComments, python_comments, template_comments
from pytest_dbguard.analysis.sql_comments import sql_comments
from pytest_dbguard.core.findings import Finding, Site
from pytest_dbguard.core.ignores import Ignore, IgnoreKind, IgnoreWord


class InlineIgnores:
    """Reads ignore comments from source files below `root`, each file once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[str, SourceComments] = {}

    def silences(self, finding: Finding) -> bool:
        """Return whether a comment names the finding's rule and covers one of its lines, or one of its files."""
        return bool(self.silencing(finding))

    def silencing(self, finding: Finding) -> tuple[Ignore, ...]:
        """Return the comments that silence a finding: on its access, origin or loop."""
        places = (place for place in (finding.site, finding.origin, finding.loop) if place is not None)
        found = dict.fromkeys(ignore for place in places for ignore in self._at(place) if ignore.word.names(finding))
        return tuple(found)

    def in_file(self, file: str) -> tuple[Ignore, ...]:
        """Return all ignore comments of a file."""
        return tuple(
            _ignore(file, comment.line, comment.last is None, word)
            for comment in self._read(file).comments
            for word in comment.words
        )

    def mistakes_in(self, file: str) -> tuple[Mistake, ...]:
        """Return the comments of a file that silence nothing because they are wrong."""
        return tuple(self._read(file).mistakes)

    def _at(self, place: Site) -> Iterator[Ignore]:
        last = max(place.line, place.end_line or place.line)
        for comment in self._read(place.file).comments:
            if comment.covers(place.line, last):
                yield from (_ignore(place.file, comment.line, comment.last is None, word) for word in comment.words)

    def _read(self, file: str) -> SourceComments:
        known = self._files.get(file)
        if known is None:
            known = self._files[file] = _comments_of(self._root / file)
        return known


def _ignore(file: str, line: int, is_for_file: bool, word: IgnoreWord) -> Ignore:
    kind = IgnoreKind.FILE_COMMENT if is_for_file else IgnoreKind.COMMENT
    return Ignore(kind, word, Site(file, line))


def _comments_of(path: Path) -> SourceComments:
    """Return the comments of a file; none where it cannot be read."""
    try:
        if path.suffix in (".py", ".pyw"):
            with tokenize.open(path) as source:
                return python_comments(source.read())
        text = path.read_text("utf-8", "replace")
        return sql_comments(text) if path.suffix == ".sql" else template_comments(text)
    except (OSError, SyntaxError, UnicodeError, ValueError):
        return SourceComments()
