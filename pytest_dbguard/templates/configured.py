"""What a project says about how databases are built, in fixtures or settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dbguard.templates.base import Recipe, Step
from pytest_dbguard.templates.steps import Kind, steps_for

if TYPE_CHECKING:
    from pytest_dbguard.config.model import Config

_SETTINGS: Mapping[Kind, str] = {"metadata": "metadata", "migrate": "migrations", "seed": "seed"}


def recipe_of(values: Mapping[Kind, Any], root: Path, places: Mapping[Kind, str]) -> Recipe:
    """Return what builds a database: migrations, else tables; then seeds.

    Args:
        values: What was said of each kind; None or missing for nothing.
        root: Directory of the project.
        places: What errors call where it was said; the fixture of that kind where it is missing.

    Raises:
        DatabaseError: When something cannot be understood, naming where it stands.
    """
    built: Kind = "metadata" if values.get("migrate") is None else "migrate"
    kinds: tuple[Kind, Kind] = (built, "seed")
    steps: list[Step] = []
    for kind in kinds:
        if values.get(kind) is not None:
            steps += steps_for(kind, values[kind], root=root, place=places.get(kind))
    return Recipe(tuple(steps))


def configured(config: Config) -> tuple[dict[Kind, Any], dict[Kind, str]]:
    """Return what the settings say of each kind, and where they say it; kinds that they do not mention are missing."""
    said = {kind: name for kind, name in _SETTINGS.items() if getattr(config, name) is not None}
    values = {kind: getattr(config, name) for kind, name in said.items()}
    return values, {kind: f"{config.sources[name]}: {name}" for kind, name in said.items()}


def configured_recipe(config: Config, root: Path) -> Recipe:
    """Return what builds a database from the settings alone.

    Raises:
        DatabaseError: When a setting cannot be understood, naming where it stands.
    """
    values, places = configured(config)
    return recipe_of(values, root, places)
