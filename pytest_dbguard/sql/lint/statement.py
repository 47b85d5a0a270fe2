"""Returns all marks of a statement: parses it once, and asks each kind's file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pytest_dbguard.sql.facts.model import StatementFacts
    from pytest_dbguard.sql.lint.model import LintMark

DETECTORS: Final[tuple[str, ...]] = ()
"""`module:function`, each `(LintedText) -> Iterable[LintMark]`, in the order of the rules' codes."""


def statement_marks(
    sql: str, facts: StatementFacts, *, dialect: str, columns: Mapping[str, Sequence[str]]
) -> tuple[LintMark, ...]:
    """Return the marks of a text whose facts are known; () for one that cannot be parsed."""
    return ()
