"""Reading one table of settings by its model, as rules do for their options."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from pytest_dbguard.config.table import read_table
from pytest_dbguard.core.errors import ConfigError


class Weight(StrEnum):
    HEAVY = "heavy"
    LIGHT = "light"


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    min_repeats: Annotated[int, Field(ge=2, lt=100)] = 2
    weight: Weight | None = None
    names: tuple[str, ...] = ()

    @field_validator("names")
    @classmethod
    def _sorted(cls, value):
        if list(value) != sorted(value):
            raise ValueError("Names must be sorted")
        return value


def read(table):
    return read_table(Options, table, place="pyproject.toml", key="tool.dbguard.rules.n-plus-one")


def test_hyphens_and_underscores():
    assert read({"min-repeats": 3, "weight": "heavy"}) == Options(min_repeats=3, weight=Weight.HEAVY)
    assert read({"min_repeats": 3}).min_repeats == 3


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"min-repeats": 1}, ".min-repeats: expected 2 or more, not 1"),
        ({"min-repeats": 100}, ".min-repeats: expected less than 100, not 100"),
        ({"min-repeats": "x"}, ".min-repeats: expected a whole number, not 'x'"),
        ({"min-repeat": 3}, ": unknown key 'min-repeat'\n  did you mean 'min-repeats'?"),
        ({"weight": "hevy"}, ".weight: expected 'heavy' or 'light', not 'hevy'\n  did you mean 'heavy'?"),
        ({"weight": "x" * 200}, f".weight: expected 'heavy' or 'light', not '{'x' * 59}…'"),
        ({"names": ["b", "a"]}, ".names: value error, Names must be sorted, got a list"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_named(table, said):
    with pytest.raises(ConfigError) as error:
        read(table)
    assert str(error.value) == f"pyproject.toml: tool.dbguard.rules.n-plus-one{said}"
