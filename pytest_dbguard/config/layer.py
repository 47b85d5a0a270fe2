"""What one source says: values by field, where each came from, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_dbguard.config.model import Config
from pytest_dbguard.config.problems import Problem
from pytest_dbguard.config.table import check_table


@dataclass(frozen=True, slots=True)
class Layer:
    """The settings of one source, such as a file or the environment variables."""

    values: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def single_setting(name: str, value: object, place: str) -> Layer:
    """Return the layer of one setting that has a place of its own, such as a flag or a variable."""
    config, wrong = check_table(Config, {name: value}, place=place, key="")
    if config is None:
        # The place names the setting already: a key would say it twice.
        return Layer(problems=tuple(Problem(place, "", problem.message, problem.hint) for problem in wrong))
    return Layer({name: getattr(config, name)}, {name: place})


def stacked(*layers: Layer) -> Layer:
    """Return the layers as one, in which later ones win and all problems are kept."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for layer in layers:
        values |= layer.values
        sources |= layer.sources
    return Layer(values, sources, tuple(problem for layer in layers for problem in layer.problems))
