"""Judges the recordings of a test and leaves out what is not to be reported, keeping book of why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pytest_dbguard.analysis.ignore_book import IgnoreBook, WrongIgnore
from pytest_dbguard.analysis.ignores import InlineIgnores
from pytest_dbguard.analysis.judge import Judge
from pytest_dbguard.analysis.pool import fact_id
from pytest_dbguard.analysis.setting_ignores import SettingIgnores
from pytest_dbguard.analysis.statement_ignores import wrong_words
from pytest_dbguard.core.findings import Finding
from pytest_dbguard.core.ignores import Ignore
from pytest_dbguard.recording.model import Recording


@dataclass(slots=True)
class Judged:
    """What is left to report, the ids of the facts that are not reported, and the book of ignores."""

    findings: list[Finding] = field(default_factory=list)
    silenced: set[str] = field(default_factory=set)
    book: IgnoreBook = field(default_factory=IgnoreBook)


class Silencer:
    """Silences by comments, by settings, and by what a test says of itself."""

    def __init__(self, judge: Judge, root: Path, settings: SettingIgnores | None = None) -> None:
        self.judge = judge
        self.inline = InlineIgnores(root)
        self.settings = settings or SettingIgnores()
        self.files: set[str] = set()

    def judged(
        self, recordings: Iterable[Recording], *, test: str = "", marks: tuple[Ignore, ...] = (), is_off: bool = False
    ) -> Judged:
        """Return what the recordings of a test show.

        Args:
            recordings: Those of the test, and those of fixtures that it is the first to need.
            test: Node id of the test.
            marks: What its markers silence; not in fixtures that it shares with other tests.
            is_off: Whether the test is not judged at all.
        """
        result = Judged()
        result.book.write(marks, [test])
        for recording in recordings:
            is_shared = recording.prepares and recording.name != test
            if is_off and not is_shared:
                continue
            self._judge(recording, () if is_shared else marks, result)
            result.book.write((each for block in recording.ignores for each in block.ignores), [test])
        result.silenced |= self.judge.silenced
        result.book.used |= self.judge.used
        self.judge.silenced.clear()
        self.judge.used.clear()
        return result

    def silencing(self, finding: Finding, marks: tuple[Ignore, ...] = ()) -> tuple[Ignore, ...]:
        """Return all that silences a finding."""
        by_marks = tuple(ignore for ignore in marks if ignore.word.names(finding))
        return (*self.inline.silencing(finding), *self.settings.silencing(finding), *by_marks)

    def _judge(self, recording: Recording, marks: tuple[Ignore, ...], result: Judged) -> None:
        for finding in self.judge.judge(recording):
            self.files |= {p.file for p in (finding.site, finding.origin, finding.loop) if p is not None}
            ignores = self.silencing(finding, marks)
            if ignores:
                result.silenced.add(fact_id(finding))
                result.book.used |= set(ignores)
            else:
                result.findings.append(finding)
        for text, number, error in wrong_words(recording):
            site = recording.raw[number][1].site
            result.book.wrong.add(WrongIgnore(text, site, f"{error.message} (in the statement)", error.hint or ""))
