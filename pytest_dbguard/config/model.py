"""What can be configured, with types and defaults."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=_kebab, populate_by_name=True)


class EnvConfig(_Table):
    """One table `[tool.dbguard.env.NAME]`: the database of an environment."""

    database: Literal["auto", "sqlite", "postgres-embedded"] | None = None
    url: str | None = Field(default=None, repr=False)


class Config(_Table):
    """The configuration of a run; `sources` tells where each value came from."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    preview: bool = False
    fail_on: Literal["error", "warning", "note", "never"] = "warning"
    test_code: Literal["note", "report", "off"] = "note"
    app_paths: tuple[str, ...] = ()
    test_paths: tuple[str, ...] = ()
    max_queries: int | None = Field(default=None, ge=0)
    slow_ms: float = Field(default=500, gt=0)
    show_queries: bool = False
    baseline: str = "dbguard-baseline.json"
    update_baseline: bool = False
    prune_baseline: bool = False
    report: tuple[str, ...] = ()
    database: Literal["auto", "sqlite", "postgres-embedded"] | None = None
    env: str = "test"
    envs: dict[str, EnvConfig] = Field(default_factory=dict)
    rules: dict[str, dict[str, Any]] = Field(default_factory=dict)

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("select", "ignore", "app_paths", "test_paths", "report", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def sources(self) -> dict[str, str]:
        """Where each value came from: "default", a file, an environment variable or a flag."""
        return {name: self._sources.get(name, "default") for name in type(self).model_fields}

    @property
    def environment(self) -> EnvConfig:
        """The table of the chosen environment; empty when the file has none of that name."""
        return self.envs.get(self.env, EnvConfig())
