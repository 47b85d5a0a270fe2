"""What stands in `dbguard-workload.json`, field by field, and how much of it there may be."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

KIND: Final = "dbguard-workload"
VERSION: Final = 1
"""Version of the file. 1: the first."""

MAX_STATEMENTS: Final = 5_000
"""Statements of one schema that are written; those that run most."""
MAX_USES: Final = 50
"""Places of one statement that are written; those that run it most."""
MAX_TEXT: Final = 20_000
"""Characters of a text; a statement with a longer one is left out."""

Source = Literal["run", "production", "pg_stat_statements"]
Style = Literal["qmark", "numeric", "named", "format", "pyformat", "numeric_dollar"]
Count = Annotated[int, Field(ge=0)]
Line = Annotated[int, Field(ge=1)]

# unknown keys are passed over: a later version may add some
_CHECKED = ConfigDict(extra="ignore", strict=True, frozen=True, use_attribute_docstrings=True)


class CallEntry(BaseModel):
    """What the source shows of how a statement is made and what becomes of its result."""

    model_config = _CHECKED

    methods: tuple[str, ...] = ()
    """Names of the calls in one expression, in order."""

    used_as: Literal["", "truth", "zero", "length"] = ""
    """Tested as a condition, compared with 0 or 1, measured by `len`."""


class UseEntry(BaseModel):
    """One place that ran a statement."""

    model_config = _CHECKED

    count: Count
    """Executions."""

    file: str = ""
    """Relative to the root, with "/"; "" where no place is known."""

    line: Line = 1
    """From 1."""

    column: Line | None = None
    """From 1."""

    end_line: Line | None = None
    """Last line of the call."""

    end_column: Line | None = None
    """Column behind the call."""

    function: str = ""
    """The function around it."""

    is_test: bool = False
    """Whether the place is in test code."""

    in_test_code: bool = False
    """Whether only test code stands on the stack."""

    scope: str = "call"
    """"call", or a request such as "GET /orders"."""

    call: CallEntry | None = None
    """What the source there shows; none where it was not read."""


class StatementEntry(BaseModel):
    """One statement without its literals, on one schema."""

    model_config = _CHECKED

    id: Annotated[str, Field(min_length=1)]
    """Of the shape: the same in every run, and in production."""

    shape: str
    """The text as it is shown: all values as `?`."""

    verb: str = "SELECT"
    """SELECT, INSERT, UPDATE, DELETE, MERGE, ..."""

    text: str | None = None
    """What a planner can be asked about: values as parameters, but for those that tell nothing."""

    style: Style = "qmark"
    """Of the parameters of the text."""

    values: dict[int, tuple[str | int | float | bool | None, ...]] = {}
    """Values of parameters by their position in the text from 0: LIMIT, OFFSET, classes of patterns, NULL."""

    longest_list: Count = 0
    """Values of the longest IN list that was seen."""

    literal_sets: Count = 1
    """How many sets of literals its texts held."""

    mean_ms: Annotated[float, Field(ge=0)] | None = None
    """Milliseconds that one execution takes on average; none where nobody measured them."""

    uses: tuple[UseEntry, ...] = ()
    """Where it runs, most executions first."""


class SchemaEntry(BaseModel):
    """One schema and what ran on it."""

    model_config = _CHECKED

    id: str
    """Hash of the schema."""

    catalog: dict[str, Any] | None = None
    """Tables, columns, keys and indexes, as `schema/document.py` writes them; none where nobody knows them."""

    skipped: dict[str, Count] = {}
    """Numbers of statements that are left out, by the reason."""

    statements: tuple[StatementEntry, ...] = ()
    """By id."""


class WorkloadFile(BaseModel):
    """The whole file."""

    model_config = _CHECKED

    kind: Literal["dbguard-workload"]
    """What tells it from other JSON."""

    version: Literal[1]
    """Of the format."""

    source: Source
    """"run" of tests, "production", or made of "pg_stat_statements"."""

    made: str = ""
    """When, as ISO 8601 with the time zone."""

    schemas: tuple[SchemaEntry, ...] = ()
    """The one with most statements first."""
