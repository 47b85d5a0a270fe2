"""Makes findings of ignores that silenced nothing in a full run, and of those that can silence nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from pytest_dbguard.analysis.ignore_book import IgnoreBook
from pytest_dbguard.analysis.judge import ActiveRule
from pytest_dbguard.analysis.model_subjects import is_about_models
from pytest_dbguard.core.findings import Certainty, Finding, Severity
from pytest_dbguard.core.ignores import Ignore, IgnoreKind
from pytest_dbguard.rules.unused_ignore import UnusedIgnore


@dataclass(frozen=True, slots=True)
class RunOfTests:
    """Which tests ran, as far as unused ignores depend on it.

    Attributes:
        suite: All tests there are; None when some were left out.
        ran: Those that were run.
        unfinished: Those that failed or were skipped.
    """

    suite: Collection[str] | None
    ran: Collection[str]
    unfinished: Collection[str]

    @property
    def is_full(self) -> bool:
        """Whether all tests ran, so that what is unused can be told."""
        return bool(self.suite) and set(self.suite or ()) <= set(self.ran)


def ignore_findings(rules: Iterable[ActiveRule], book: IgnoreBook, run: RunOfTests) -> tuple[Finding, ...]:
    """Return what is to be said of the ignores of a run; nothing when the rule is left out."""
    rules = tuple(rules)
    active = next((each for each in rules if isinstance(each.rule, UnusedIgnore)), None)
    if active is None or not isinstance(active.rule, UnusedIgnore):
        return ()
    found = list(_wrong(active.rule, book))
    if run.is_full:
        judged = frozenset(each.rule.code for each in rules if not getattr(each.rule, "is_gate", False))
        found += _unknown(active.rule, book)
        found += _unused(active.rule, active.severity, book, run, judged)
    return tuple(found)


def _wrong(rule: UnusedIgnore, book: IgnoreBook) -> Iterator[Finding]:
    for wrong in sorted(book.wrong, key=repr):
        yield rule.finding(wrong.text, wrong.message, wrong.place, wrong.hint, rule.severity_of_mistakes)


def _unknown(rule: UnusedIgnore, book: IgnoreBook) -> Iterator[Finding]:
    """Yield ignores whose subject no process found among its models."""
    for ignore in sorted(book.written, key=repr):
        if not _has_unknown_subject(ignore, book):
            continue
        match = book.unknown_subjects[ignore.word.subject]
        hint = f"did you mean `{match}`?" if match else "name a class and its attribute, such as `Order.customer`"
        message = f"no model has `{ignore.word.subject}`: {_told(ignore)} silences nothing"
        yield rule.finding(ignore.word.text, message, ignore.place, hint, rule.severity_of_mistakes)


def _unused(
    rule: UnusedIgnore, severity: Severity, book: IgnoreBook, run: RunOfTests, judged: frozenset[str]
) -> Iterator[Finding]:
    """Yield ignores that silenced nothing; of markers and blocks only where all their tests ran to their end."""
    unfinished = set(run.unfinished)
    used = {_identity(ignore) for ignore in book.used}
    held_back = {_identity(ignore) for ignore, tests in book.written.items() if not tests.isdisjoint(unfinished)}
    seen = used | held_back
    for ignore, tests in sorted(book.written.items(), key=lambda pair: repr(pair[0])):
        identity = _identity(ignore)
        if identity in seen or not ignore.word.codes <= judged or _has_unknown_subject(ignore, book):
            continue
        seen.add(identity)
        message = f"{_told(ignore)} silences nothing"
        finding = rule.finding(_subject(ignore), message, ignore.place, _fix(ignore), severity)
        yield replace(finding, tests=tuple(sorted(tests))) if tests else _hedged(finding, len(unfinished))


def _hedged(finding: Finding, unfinished: int) -> Finding:
    """Say that a test which did not run to its end may need the ignore."""
    if not unfinished:
        return finding
    tests = "1 test was" if unfinished == 1 else f"{unfinished} tests were"
    evidence = (f"{tests} skipped or failed and may need it",)
    return replace(finding, certainty=Certainty.LIKELY, evidence=evidence)


def _has_unknown_subject(ignore: Ignore, book: IgnoreBook) -> bool:
    subject = ignore.word.subject
    return is_about_models(ignore.word) and subject in book.unknown_subjects and subject not in book.known_subjects


def _identity(ignore: Ignore) -> tuple[object, ...]:
    """What makes two ignores one: parameter sets of a test share the line of their marker."""
    return (ignore.kind, ignore.word, ignore.place and ignore.place.label, ignore.owner, ignore.key)


def _subject(ignore: Ignore) -> str:
    return f"{ignore.owner}: {ignore.word.text}" if ignore.kind is IgnoreKind.PATH else ignore.word.text


def _told(ignore: Ignore) -> str:
    """Return what it is, as people would write it."""
    word = ignore.word.text
    match ignore.kind:
        case IgnoreKind.COMMENT:
            return f"`ignore[{word}]`"
        case IgnoreKind.FILE_COMMENT:
            return f"`file-ignore[{word}]`"
        case IgnoreKind.MARKER:
            return f"the marker's `{word}`"
        case IgnoreKind.FIXTURE:
            return f"`dbguard.ignore({word!r})`"
        case IgnoreKind.PATH:
            return f"`{word}` for the path {ignore.owner!r}"
        case _:
            return f"`{word}` of {ignore.key or 'the call'}"


def _fix(ignore: Ignore) -> str:
    match ignore.kind:
        case IgnoreKind.COMMENT | IgnoreKind.FILE_COMMENT:
            return "take it out of the comment"
        case IgnoreKind.MARKER:
            return "take it out of the marker"
        case IgnoreKind.FIXTURE:
            return "take the block away"
        case _:
            return "take it out of the configuration"
