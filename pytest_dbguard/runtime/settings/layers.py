"""What one source of settings says, with where each value came from; and several of them in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_dbguard.config.problems import Problem
from pytest_dbguard.runtime.settings.fields import Path, dotted

Values = Mapping[str, Any]
# each leads a role to servers: who says one of them in a stronger source does not want the other from a weaker one
_EITHER: Final = {"url": "replicas", "replicas": "url"}
_NOT_SAID: Final = ("profile ", "default")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value stands: the file, variable or call, and the key in it ("" where the place names it)."""

    place: str
    key: str
    is_file: bool = False
    """Whether the place is a TOML file."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The settings of one source: values by field, nested; where each came from; and what is wrong with them."""

    values: Values = field(default_factory=dict, repr=False)
    origins: Mapping[Path, Origin] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def origin(self, path: Path) -> Origin | None:
        """Return where the setting, or what it is part of, came from; None when this source says nothing of it."""
        for length in range(len(path), 0, -1):
            found = self.origins.get(path[:length])
            if found is not None:
                return Origin(found.place, found.key + _rest(path[length:]), found.is_file)
        return None


def merged(*layers: Layer) -> Layer:
    """Return the layers as one, in which later ones win setting by setting, and all problems are kept."""
    values: dict[str, Any] = {}
    origins: dict[Path, Origin] = {}
    for layer in layers:
        dropped = _merge(values, layer.values, ())
        origins = {path: origin for path, origin in origins.items() if not is_below(path, dropped)}
        origins |= layer.origins
    return Layer(values, origins, tuple(problem for layer in layers for problem in layer.problems))


def _merge(under: dict[str, Any], over: Values, above: Path) -> list[Path]:
    """Put the values over the ones that are there; return what is replaced as a whole."""
    dropped: list[Path] = []
    for name, value in over.items():
        other = _EITHER.get(name)
        if other is not None and other not in over and other in under:
            del under[other]
            dropped.append((*above, other))
        if isinstance(value, Mapping):
            table = under[name] = dict(under.get(name) or {})
            dropped += _merge(table, value, (*above, name))
        else:
            under[name] = value
            dropped.append((*above, name))
    return dropped


def is_below(path: Path, tops: Sequence[Path]) -> bool:
    """Tell whether a setting is one of the tops, or part of one."""
    return any(path[: len(top)] == top for top in tops)


def is_said(source: str) -> bool:
    """Tell whether a setting with this source was said by somebody, rather than by a profile or nobody."""
    return not source.startswith(_NOT_SAID)


def _rest(path: Path) -> str:
    text = dotted(path)
    return text if not text or text.startswith("[") else f".{text}"
