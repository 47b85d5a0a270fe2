"""Turns a statement as a driver got it into texts that a planner can be asked about, without patterns of people's."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice, product
from operator import itemgetter

from pytest_dbguard.sql.choices import MAX_VARIANTS, Chooser
from pytest_dbguard.sql.literals import Value
from pytest_dbguard.sql.placeholders import NAMED_POSTGRES, Lexeme, lexemes
from pytest_dbguard.sql.rewriting import Rewriter
from pytest_dbguard.sql.roles import roles_of

_PLANNED = frozenset({"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES", "TABLE"})
_WRITES = frozenset({"INSERT", "MERGE", "REPLACE"})


@dataclass(frozen=True, slots=True)
class Explainable:
    """One text to be explained.

    Attributes:
        sql: PostgreSQL's with `$1`, `$2`, ..., SQLite's with `?`. It may hold literals: never show it.
        ordinals: For each parameter that is left, in the order of numbers: its position in the original text, from 0.
        offsets: (offset in `sql`, offset in the original text) of its pieces, in ascending order.
    """

    sql: str
    ordinals: tuple[int, ...] = ()
    offsets: tuple[tuple[int, int], ...] = field(default=(), compare=False)

    @property
    def is_generic(self) -> bool:
        """Whether any parameter is left."""
        return bool(self.ordinals)

    def original(self, position: int) -> int:
        """Return where in the original text stands what stands at a position of `sql`."""
        number = bisect_right(self.offsets, position, key=itemgetter(0)) - 1
        if number < 0:
            return position
        begins, stood = self.offsets[number]
        return stood + position - begins


def explainables(
    text: str,
    style: str,
    values: Mapping[int, tuple[Value, ...]],
    *,
    dialect: str,
    constants: Callable[[str], bool],
) -> tuple[Explainable, ...]:
    """Return the texts to be explained, in a stable order; () for what has no plan. Never raises.

    Parameters stay parameters, but for those that a generic plan is wrong about: LIMIT and OFFSET get the largest
    value seen, patterns of LIKE a stand-in of the same class, and what is compared with a column that `constants`
    names gets each value seen, in one text each, `MAX_VARIANTS` at most. Of rows to insert the first is kept.

    Args:
        text: As the driver got it.
        style: qmark, numeric, named, format, pyformat, numeric_dollar.
        values: Seen values, by the parameter's position in the text, from 0.
        dialect: "postgresql" or "sqlite".
        constants: Whether values of a column, by its name, are to be written into the text.
    """
    is_postgres = dialect == "postgresql"
    if is_postgres and style == "named":
        style = NAMED_POSTGRES
    found = lexemes(text, style)
    while found and found[-1].text == ";":
        found.pop()
    if not _has_plan(found):
        return ()
    choices = Chooser(found, is_postgres, constants).choices(roles_of(found, style), values)
    rewriter = Rewriter(text, style, found, is_postgres)
    variants = islice(product(*choices.values()), MAX_VARIANTS)
    written = (rewriter.write(dict(zip(choices, variant, strict=True))) for variant in variants)
    return tuple(dict.fromkeys(Explainable(*each) for each in written))


def _has_plan(found: list[Lexeme]) -> bool:
    """Whether it is one statement that reads or writes rows; SELECT INTO makes a table."""
    words = [token.text.upper() if token.kind in ("word", "sign") else "" for token in found]
    first = next((word for word in words if word != "("), "")
    makes_table = "INTO" in words and _WRITES.isdisjoint(words)
    return first in _PLANNED and ";" not in words and not makes_table
