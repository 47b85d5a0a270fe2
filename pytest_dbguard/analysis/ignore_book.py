"""What a run knows of its ignores: where they were written, which silenced something, and which are wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_dbguard.analysis.ignore_words import read_word
from pytest_dbguard.core.findings import Site
from pytest_dbguard.core.ignores import Ignore, IgnoreKind
from pytest_dbguard.core.serial import site_from_json, site_to_json


@dataclass(frozen=True, slots=True)
class WrongIgnore:
    """An ignore that can silence nothing: what it says, where, what is wrong, and what to do."""

    text: str
    place: Site | None
    message: str
    hint: str


@dataclass(slots=True)
class IgnoreBook:
    """Adds up over tests and processes; the order does not matter.

    Attributes:
        used: What silenced at least one finding.
        written: All ignores, each with the tests it holds for: none for those that hold for all.
        wrong: Ignores that can silence nothing.
        known_subjects: Subjects `Class.attribute` that a process found among its models.
        unknown_subjects: Subjects that a process did not find, with the nearest match or "".
    """

    used: set[Ignore] = field(default_factory=set)
    written: dict[Ignore, set[str]] = field(default_factory=dict)
    wrong: set[WrongIgnore] = field(default_factory=set)
    known_subjects: set[str] = field(default_factory=set)
    unknown_subjects: dict[str, str] = field(default_factory=dict)

    def write(self, ignores: Iterable[Ignore], tests: Iterable[str] = ()) -> None:
        """Take in ignores that hold for these tests; for all where none is named."""
        for ignore in ignores:
            self.written.setdefault(ignore, set()).update(tests)

    def add(self, other: IgnoreBook) -> None:
        """Take in what another test or process knows."""
        self.used |= other.used
        self.wrong |= other.wrong
        for ignore, tests in other.written.items():
            self.write([ignore], tests)
        self.known_subjects |= other.known_subjects
        for subject, match in sorted(other.unknown_subjects.items()):
            self.unknown_subjects[subject] = max(match, self.unknown_subjects.get(subject, ""))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, to travel from a worker."""
        return {
            "used": [ignore_to_json(ignore) for ignore in self.used],
            "written": [[ignore_to_json(ignore), sorted(tests)] for ignore, tests in self.written.items()],
            "wrong": [[wrong.text, site_to_json(wrong.place), wrong.message, wrong.hint] for wrong in self.wrong],
            "known_subjects": sorted(self.known_subjects),
            "unknown_subjects": self.unknown_subjects,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> IgnoreBook:
        """Return the book that `to_json` described."""
        return cls(
            {ignore_from_json(ignore) for ignore in value["used"]},
            {ignore_from_json(ignore): set(tests) for ignore, tests in value["written"]},
            {WrongIgnore(text, site_from_json(place), message, hint) for text, place, message, hint in value["wrong"]},
            set(value["known_subjects"]),
            dict(value["unknown_subjects"]),
        )


def ignore_to_json(ignore: Ignore) -> list[Any]:
    """Return an ignore as JSON values."""
    return [str(ignore.kind), ignore.word.text, site_to_json(ignore.place), ignore.owner, ignore.key]


def ignore_from_json(value: list[Any]) -> Ignore:
    """Return the ignore that `ignore_to_json` described."""
    kind, text, place, owner, key = value
    return Ignore(IgnoreKind(kind), read_word(text), site_from_json(place), owner, key)
