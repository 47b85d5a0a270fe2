"""`[tool.dbguard.scale]`: how many rows tables hold in production, and what is known of their columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pytest_dbguard.config.problems import Problem, problem_of, quote, raise_problems, unknown_key
from pytest_dbguard.planning.statistics.model import ColumnStatistics, Origin, Statistics, TableStatistics
from pytest_dbguard.planning.statistics.names import split_column, split_table

DEFAULT_ROWS: Final = 100_000
"""Rows of a table that nobody said anything of."""
SOURCE: Final = "[tool.dbguard.scale]"

_NUMBER = re.compile(r"(\d[\d_,]*(?:\.\d+)?)\s*(k|m|b|bn|thousand|million|billion)?", re.IGNORECASE)
_FACTORS: Mapping[str, int] = MappingProxyType(
    {"": 1, "k": 10**3, "thousand": 10**3, "m": 10**6, "million": 10**6, "b": 10**9, "bn": 10**9, "billion": 10**9}
)
_CHECKED = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def count_of(value: object) -> object:
    """Return the number that a text such as "10m", "1.5 million" or "10_000" means; what is no such text as it is."""
    found = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return value
    digits = found[1].replace("_", "").replace(",", "")
    return round(float(digits) * _FACTORS[(found[2] or "").lower()])


def _number(value: object) -> object:
    # TOML and pydantic both take true for 1, which nobody means by it
    if isinstance(value, bool) or (isinstance(value, str) and not isinstance(count_of(value), int)):
        raise ValueError('expected a number of rows, such as 10_000_000 or "10m"')
    return count_of(value)


Rows = Annotated[int, BeforeValidator(_number), Field(ge=0, le=10**13)]


class ColumnScale(BaseModel):
    """What is declared of one column; what is left out is estimated from its type, keys and name."""

    model_config = _CHECKED

    distinct: Literal["unique"] | Annotated[float, BeforeValidator(count_of), Field(gt=0, le=1e13)] | None = None
    """Number of different values; below 1 their share of the rows; "unique" where no two rows have the same."""

    nulls: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of rows without a value, from 0 to 1."""

    width: Annotated[int, Field(ge=1, le=10**9)] | None = None
    """Average size of a value in bytes."""

    correlation: Annotated[float, Field(ge=-1, le=1)] | None = None
    """How far rows are stored in the order of this column: 1 wholly, 0 not at all, -1 the other way round."""


class ScaleSettings(BaseModel):
    """Sizes of production's tables, as they are declared."""

    model_config = _CHECKED

    default: Rows = DEFAULT_ROWS
    """Rows of each table that is not named."""

    tables: Mapping[str, Rows] = Field(default_factory=dict)
    """Rows by table. Also plain keys of the table: `orders = 10_000_000`, `"sales.orders" = "10m"`."""

    columns: Mapping[str, ColumnScale] = Field(default_factory=dict)
    """What is known of columns, by table and column: `"orders.status" = {distinct = 5}`."""

    @classmethod
    def of(cls, table: Mapping[str, Any], *, source: str = SOURCE) -> ScaleSettings:
        """Return the settings of a table of TOML, whose plain keys are names of tables.

        Raises:
            ConfigError: When a key or a value cannot be used; names all of them.
        """
        try:
            return cls.model_validate(_sorted_out(table))
        except ValidationError as error:
            raise_problems([*_problems(error, source)])
            raise


def statistics_from_scale(scale: ScaleSettings, source: str = SOURCE) -> Statistics:
    """Return statistics that hold what is declared and nothing else; `completed` adds the rest from the schema.

    A table of which only columns are declared has the default number of rows and the origin `DEFAULT`.
    """
    columns = {split_column(name): _column(name, settings) for name, settings in scale.columns.items()}
    rows = {split_table(name): count for name, count in scale.tables.items()}
    owners = sorted({*rows, *(place[:2] for place in columns)})
    tables = tuple(
        TableStatistics(
            schema,
            name,
            float(rows.get((schema, name), scale.default)),
            columns=tuple(columns[place] for place in sorted(columns) if place[:2] == (schema, name)),
            origin=Origin.DECLARED if (schema, name) in rows else Origin.DEFAULT,
        )
        for schema, name in owners
    )
    is_declared = bool(tables) or scale.default != DEFAULT_ROWS
    return Statistics(
        tables,
        origin=Origin.DECLARED if is_declared else Origin.DEFAULT,
        source=source if is_declared else "default",
        default_rows=float(scale.default),
    )


def _column(name: str, scale: ColumnScale) -> ColumnStatistics:
    return ColumnStatistics(
        split_column(name)[2],
        n_distinct=_n_distinct(scale.distinct),
        null_fraction=scale.nulls if scale.nulls is not None else -1.0,
        average_width=scale.width or 0,
        correlation=scale.correlation,
    )


def _n_distinct(distinct: float | str | None) -> float:
    if distinct is None:
        return 0.0
    if isinstance(distinct, str):
        return -1.0
    return -distinct if distinct < 1 else float(distinct)


def _sorted_out(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the model: tables and columns with their full names, whichever way TOML nests them.

    `sales.orders = 5` without quotes is a table of its own in TOML, and so is `columns.orders.status`.
    """
    tables: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for key, value in table.items():
        if key == "default":
            fields["default"] = value
        elif key == "columns" and isinstance(value, Mapping):
            fields["columns"] = dict(_leaves(value, _is_column))
        elif key == "tables" and isinstance(value, Mapping):
            tables |= dict(_leaves(value, _is_plain))
        else:
            tables |= dict(_leaves({key: value}, _is_plain))
    return {**fields, "tables": tables}


def _leaves(table: Mapping[str, Any], is_leaf: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if is_leaf(value):
            yield prefix + key, value
        else:
            yield from _leaves(value, is_leaf, f"{prefix}{key}.")


def _is_plain(value: object) -> bool:
    return not isinstance(value, Mapping)


def _is_column(value: object) -> bool:
    return not isinstance(value, Mapping) or not any(isinstance(each, Mapping) for each in value.values())


def _problems(error: ValidationError, source: str) -> Iterator[Problem]:
    # a choice of types is told once, not once a type
    for place, group in groupby(error.errors(include_url=False), key=lambda each: each["loc"][:3]):
        problem = next(group)
        key = ".".join(str(part) for part in place if part not in ("tables", "columns"))
        if problem["type"] == "extra_forbidden":
            yield unknown_key(source, ".".join(map(str, place[1:-1])), str(place[-1]), ColumnScale.model_fields)
        elif "distinct" in place:
            message = f"expected a number, a share below 1, or 'unique', not {quote(problem['input'])}"
            yield Problem(source, key, message)
        elif problem["type"] == "value_error":
            yield Problem(source, key, f"{problem['ctx']['error']}, not {quote(problem['input'])}")
        else:
            yield problem_of(problem, source, key)
