"""What a process that ran tests sees at the end: the ignore comments of all it imported, and its models."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from pytest_dbguard.analysis.ignore_book import IgnoreBook, WrongIgnore
from pytest_dbguard.analysis.model_subjects import check_subjects
from pytest_dbguard.analysis.silencer import Silencer
from pytest_dbguard.core.findings import Site
from pytest_dbguard.core.ignores import Ignore
from pytest_dbguard.recording.ownership import CodeKind, Ownership


def sightings(silencer: Silencer, ownership: Ownership, marks: Iterable[Ignore]) -> IgnoreBook:
    """Return all ignores that this process knows of, the wrong ones, and whether their subjects are mapped.

    Args:
        silencer: What silenced findings here, with the files of the findings.
        ownership: Whose files are read.
        marks: What the markers of the tests say.
    """
    book = IgnoreBook()
    book.write(silencer.settings.all)
    for file in sorted({*silencer.files, *_imported(ownership)}):
        book.write(silencer.inline.in_file(file))
        for mistake in silencer.inline.mistakes_in(file):
            place = Site(file, mistake.line)
            book.wrong.add(WrongIgnore(mistake.text, place, mistake.message, mistake.hint))
    check_subjects((ignore.word for ignore in (*book.written, *marks)), book)
    return book


def _imported(ownership: Ownership) -> Iterator[str]:
    """Yield the files of imported modules that are the application's or the tests'."""
    for module in list(sys.modules.values()):
        # not by getattr: a lazy module would be loaded
        file = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(file, str) and file.endswith(".py"):
            kind, shown = ownership.of(file)
            if kind is not CodeKind.LIBRARY:
                yield shown
