"""What the configuration says about how databases are built."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dbguard.templates.base import Recipe, Step
from pytest_dbguard.templates.steps import Kind, steps_for

if TYPE_CHECKING:
    from pytest_dbguard.config.model import Config


def configured_recipe(config: Config, root: Path) -> Recipe:
    """Return what builds a database from the settings alone: migrations, else tables; then seeds.

    Raises:
        DatabaseError: When a setting cannot be understood, naming where it stands.
    """
    built = ("migrations", "migrate") if config.migrations is not None else ("metadata", "metadata")
    steps = [*_steps(config, root, *built), *_steps(config, root, "seed", "seed")]
    return Recipe(tuple(steps))


def _steps(config: Config, root: Path, setting: str, kind: Any) -> list[Step]:
    place = f"{config.sources[setting]}: {setting}"
    known: Kind = kind
    return list(steps_for(known, getattr(config, setting), root=root, place=place))
