"""What a run executed, as planning needs it: shapes with a text that can be explained, and where they run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pytest_dbguard.core.findings import Shape, Site

Value = str | int | float | bool | None
"""A parameter that is kept: never longer than 64 characters."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One text of a shape, as it was sent, and what its parameters held. Stays in memory: it may hold literals.

    Of all texts of a shape the shortest is kept, the first in order among equals: whichever test came first.

    Attributes:
        text: As the driver got it.
        style: Of its parameters: qmark, numeric, named, format, pyformat, numeric_dollar.
        values: Values seen for parameters that can change a plan (LIMIT, OFFSET, LIKE, equal to a constant), by
            the parameter's position in the text, from 0. Missing where there were many, or they were not kept.
        longest_list: Values of the longest IN list seen, of all texts of the shape; 0 without one.
        literal_sets: How many sets of literals the texts of the shape hold, at most 9; 1 for a text that is fixed.
    """

    text: str
    style: str
    values: Mapping[int, tuple[Value, ...]] = field(default_factory=lambda: MappingProxyType({}))
    longest_list: int = 0
    literal_sets: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """What the source around a place shows of how a statement is made and what becomes of its result.

    Attributes:
        methods: Names of the calls in one expression, in order: ("execute", "scalar_one_or_none").
        used_as: "truth" (tested as a condition), "zero" (compared with 0 or 1), "length" (by `len`); "" otherwise.
        interpolated: Source of what is put into the text of the statement in place of a bound value; "" without.
    """

    methods: tuple[str, ...] = ()
    used_as: str = ""
    interpolated: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """One place that ran a shape.

    Attributes:
        site: The innermost application frame; None where there is none.
        count: Executions in all tests.
        tests: Node ids of the tests, sorted.
        in_test_code: Whether only test code, fixtures or factories stand on the stack.
        scope: "call" or a request.
        call: What the source there shows; None where it cannot be read.
        is_generic: Whether its source puts names into the text: those of tables there stand for any.
    """

    site: Site | None
    count: int
    tests: tuple[str, ...]
    in_test_code: bool = False
    scope: str = "call"
    call: Call | None = None
    is_generic: bool = False


@dataclass(frozen=True, slots=True)
class WorkloadStatement:
    """One shape on one schema.

    Attributes:
        shape: Id and text without literals.
        exemplar: What can be explained; None where it is not known.
        uses: Where it runs, most executions first, then by place.
        verb: SELECT, INSERT, UPDATE, DELETE, ...
        mean_ms: What an execution takes on average, in milliseconds; None where nobody measured it.
    """

    shape: Shape
    exemplar: Exemplar | None
    uses: tuple[Use, ...]
    verb: str = "SELECT"
    mean_ms: float | None = None

    @property
    def count(self) -> int:
        """Executions."""
        return sum(use.count for use in self.uses)


@dataclass(frozen=True, slots=True)
class Workload:
    """All shapes that ran on one schema."""

    schema_id: str
    statements: tuple[WorkloadStatement, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Shapes that are left out, by the reason: "no catalog", ..."""


def exemplar_to_json(exemplar: Exemplar) -> dict[str, Any]:
    """Return an exemplar as JSON values, to travel between processes only."""
    values = {str(position): list(values) for position, values in exemplar.values.items()}
    told = {"longest_list": exemplar.longest_list, "literal_sets": exemplar.literal_sets}
    return {"text": exemplar.text, "style": exemplar.style, "values": values, **told}


def exemplar_from_json(value: Mapping[str, Any]) -> Exemplar:
    """Return the exemplar that `exemplar_to_json` described."""
    values = {int(position): tuple(values) for position, values in value["values"].items()}
    lists = value.get("longest_list", 0), value.get("literal_sets", 1)
    return Exemplar(value["text"], value["style"], MappingProxyType(values), *lists)
