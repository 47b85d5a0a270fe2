"""`[tool.dbguard.scale]`: how many rows tables hold in production, and what is known of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pytest_dbguard.planning.statistics.model import Statistics


class ColumnScale(BaseModel):
    """What is declared of one column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    distinct: float | None = None
    nulls: float | None = None
    width: int | None = None


class ScaleSettings(BaseModel):
    """Declared sizes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: int = 100_000
    tables: Mapping[str, int] = Field(default_factory=dict)
    columns: Mapping[str, ColumnScale] = Field(default_factory=dict)

    @classmethod
    def of(cls, table: Mapping[str, Any], *, source: str = "[tool.dbguard.scale]") -> ScaleSettings:
        """Return the settings of a table of TOML, whose plain keys are names of tables.

        Raises:
            ConfigError: When a key or value cannot be used; names it.
        """
        raise NotImplementedError


def statistics_from_scale(scale: ScaleSettings, source: str) -> Statistics:
    """Return statistics that hold what is declared and nothing else; `completed` adds the rest from the schema."""
    raise NotImplementedError
