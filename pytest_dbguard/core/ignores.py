"""Ignores: one word that silences findings, and the place where it was written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from pytest_dbguard.core.findings import Finding, Site


class IgnoreKind(StrEnum):
    """Where an ignore was written, which decides what it covers."""

    COMMENT = "comment"
    FILE_COMMENT = "file-comment"
    SQL = "sql"
    CONFIG = "config"
    PATH = "path"
    MARKER = "marker"
    FIXTURE = "fixture"


@dataclass(frozen=True, slots=True)
class IgnoreWord:
    """`RULE` or `RULE:SUBJECT`, understood.

    Attributes:
        text: As it was written.
        codes: Codes of the rules it names.
        subject: A subject or a glob of subjects; "" for all.
    """

    text: str
    codes: frozenset[str]
    subject: str = ""

    def names(self, finding: Finding) -> bool:
        """Return whether the finding is one that this word is about."""
        if finding.rule not in self.codes:
            return False
        # a subject may hold brackets of its own (a test's parameters): it need not be read as a glob
        return self.subject in ("", finding.subject) or fnmatchcase(finding.subject, self.subject)


@dataclass(frozen=True, slots=True)
class Ignore:
    """One word where it was written.

    Attributes:
        kind: What it was written in.
        word: What it says.
        place: Where it stands; None for flags and variables.
        owner: The glob of a per-path ignore, the node id of a marked test, class or module, else "".
        key: The source of a setting, such as "pyproject.toml" or "flag --dbguard-ignore".
    """

    kind: IgnoreKind
    word: IgnoreWord
    place: Site | None = None
    owner: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class IgnoredRange:
    """Ignores that hold for the statements of a recording from number `start` to the one before `end`."""

    ignores: tuple[Ignore, ...]
    start: int
    end: int

    def silencing(self, finding: Finding, numbers: frozenset[int]) -> tuple[Ignore, ...]:
        """Return those that silence a finding about these statements, all of which must lie in the range."""
        if not numbers or not all(self.start <= number < self.end for number in numbers):
            return ()
        return tuple(ignore for ignore in self.ignores if ignore.word.names(finding))
