"""Takes the literals out of what PostgreSQL prints of a plan: they may be values of rows or parameters."""

from __future__ import annotations

import re
from typing import Final

# Not the tokens of `sql/`: what the server prints has no comments, no dollar quotes and no escape strings, but types
# and names with anything in them, and a quote that is taken for the wrong end of a name would let a value through.
_NAME: Final = r'(?:"(?:[^"]|"")*"|[^\W\d][\w$]*)'
_TYPE: Final = (
    rf"::{_NAME}(?:\.{_NAME})*(?:\ (?:varying|precision))?"
    r"(?:\ (?:year|month|day|hour|minute|second)(?:\ to\ (?:month|hour|minute|second))?)?"
    r"(?:\(-?\d+(?:,\s*-?\d+)?\))?(?:\ with(?:out)?\ time\ zone)?(?:\[\])*"
)
_PART: Final = re.compile(
    rf"""
      (?P<literal>(?:\b[BbXxEeNn])?'(?:[^']|'')*(?:'|\Z)(?:{_TYPE})?)
    | (?P<cast>{_TYPE})
    | (?P<subplan>\b(?:hashed\ )?(?:SubPlan|InitPlan|CTE)\ \d+\b)
    | (?P<name>{_NAME})
    | (?P<parameter>\$\d+|(?<![\w$"])-?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    """,
    re.VERBOSE,
)
_LIST: Final = re.compile(r"\?(?:, \?)+")
_CLOSED: Final = re.compile(rf"\(\?\){_TYPE}", re.VERBOSE)


def without_literals(text: str) -> str:
    """Return a condition or a key as PostgreSQL prints it, with `?` for strings, numbers, arrays and parameters.

    Lists of them become one: `ARRAY[1, 2, 3]` is `ARRAY[?]`. Names, casts of columns and numbers of subplans stay.
    """
    bare = _PART.sub(lambda match: "?" if match.lastgroup in ("literal", "parameter") else match.group(), text)
    return _LIST.sub("?", _CLOSED.sub("?", bare))
