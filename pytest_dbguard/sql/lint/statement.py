"""Returns all marks of a statement: asks each kind's file, all of which share one walk over its tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pytest_dbguard.sql.facts.model import StatementFacts
    from pytest_dbguard.sql.facts.statement import Parsed
    from pytest_dbguard.sql.lint.model import LintMark
    from pytest_dbguard.sql.lint.text import LintedText

DETECTORS: Final[tuple[str, ...]] = (
    "wide_select",
    "unbounded_select",
    "offset",
    "count_comparison",
    "not_in_subquery",
    "leading_wildcard",
    "random_order",
    "unordered_page",
    "null_comparison",
    "in_list",
    "distinct_join",
    "negated_outer_join",
    "or_across",
)
"""Files of this directory, each with `marks(LintedText) -> Iterable[LintMark]`, in the order of the rules' codes."""


def statement_marks(
    sql: str, facts: StatementFacts, *, dialect: str, columns: Mapping[str, Sequence[str]]
) -> tuple[LintMark, ...]:
    """Return the marks of a text whose facts are known; () for one that cannot be parsed."""
    from pytest_dbguard.sql.facts.statement import parsed

    return marks_of(parsed(sql, dialect=dialect, columns=columns), sql) if facts.is_analysed else ()


def marks_of(parsed: Parsed, sql: str) -> tuple[LintMark, ...]:
    """Return the marks of `sql` that was parsed, with positions in it; () for one that could not be."""
    from pytest_dbguard.sql.lint.model import LintMark
    from pytest_dbguard.sql.lint.text import LintedText

    if parsed.tree is None:
        return ()
    text, found = LintedText(parsed, sql), list[LintMark]()
    for detect in _detectors():
        # a tree that nobody thought of costs the marks of one kind, not what else is known of the statement
        with suppress(Exception):
            found += detect(text)
    return tuple(found)


@cache
def _detectors() -> tuple[Callable[[LintedText], Iterable[LintMark]], ...]:
    return tuple(import_module(f"pytest_dbguard.sql.lint.{name}").marks for name in DETECTORS)
