"""The names of the variables: which setting each stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pytest_dbguard.runtime.settings.fields import ONLY_KEYWORDS, Path, element_of, section_of

PREFIX: Final = "DBGUARD_RUNTIME_"
FROM_FILE: Final = "_FILE"
"""Ends the name of a variable that holds the path of a file with the value."""

NESTED: Final = "__"
"""Stands between the parts of a key."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting, with where it stands; numbers of replicas as they are written."""

    path: Path
    info: FieldInfo


def variable_name(path: Path) -> str:
    """Return the variable of a setting: DBGUARD_RUNTIME_POOL__SIZE; replicas are numbered from 1."""
    parts = [str(part + 1) if isinstance(part, int) else part.upper() for part in path]
    return PREFIX + NESTED.join(parts)


def known_variables(model: type[BaseModel]) -> Iterator[str]:
    """Yield the variable of every setting; of replicas those of the first."""
    for path, info in _all(model, ()):
        yield variable_name(path)
        if section_of(info) is None:
            yield variable_name(path) + FROM_FILE


def _all(model: type[BaseModel], above: Path) -> Iterator[tuple[Path, FieldInfo]]:
    for name, info in model.model_fields.items():
        if name in ONLY_KEYWORDS:
            continue
        path: Path = (*above, name)
        yield path, info
        section, element = section_of(info), element_of(info)
        if section is not None:
            yield from _all(section, path)
        elif element is not None:
            yield from _all(element, (*path, 0))


def setting_named(model: type[BaseModel], rest: str) -> Setting | None:
    """Return the setting that the name of a variable stands for, without `PREFIX`; None for an unknown one."""
    path: list[str | int] = []
    inner: type[BaseModel] | None = model
    info: FieldInfo | None = None
    for part in rest.split(NESTED):
        if info is not None and part.isdecimal() and element_of(info) is not None:
            path.append(int(part))
            inner = element_of(info)
            continue
        info = inner.model_fields.get(part.lower()) if inner is not None and part == part.upper() else None
        if info is None:
            return None
        path.append(part.lower())
        inner = section_of(info)
    if info is None or isinstance(path[-1], int):
        return None
    return Setting(tuple(path), info)
