"""Turns a table of settings (keyword arguments, or TOML) into a layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, SecretStr

from pytest_dbguard.config.model import canonical
from pytest_dbguard.config.problems import Problem
from pytest_dbguard.config.table import dotted_key, field_name, key_name
from pytest_dbguard.core.errors import did_you_mean
from pytest_dbguard.runtime.settings.fields import ONLY_KEYWORDS, Path, element_of, is_secret, section_of
from pytest_dbguard.runtime.settings.layers import Layer, Origin
from pytest_dbguard.runtime.settings.password import Password

SHORT: Path = ("url",)
PRIMARY: Path = ("roles", "primary", "url")
"""What `url` is short for."""


@dataclass(slots=True)
class TableReader:
    """Reads one table. Keys of files are written with hyphens; underscores are accepted too."""

    model: type[BaseModel]
    place: str
    is_file: bool
    besides: tuple[str, ...] = ()
    """Keys that somebody else reads, to be named where one is misspelled."""

    origins: dict[Path, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def read(self, table: Mapping[str, Any], key: str = "") -> Layer:
        """Return the layer of a table that stands under a dotted key."""
        values = self._section(self.model, table, (), key)
        return Layer(at_full_length(values, self), self.origins, tuple(self.problems))

    def _section(self, model: type[BaseModel], table: Mapping[str, Any], above: Path, key: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in table.items():
            field_of, at = field_name(str(name)), dotted_key(key, str(name))
            info = model.model_fields.get(field_of)
            if info is None:
                self.problems.append(self._unknown(model, str(name), key))
            elif field_of in ONLY_KEYWORDS and self.is_file:
                hint = "pass it to DatabaseSettings in the program"
                self.problems.append(Problem(self.place, at, "only a keyword argument can say so", hint))
            elif field_of in values:
                self.problems.append(Problem(self.place, at, "given twice", "keep one of the two"))
            else:
                values[field_of] = self._value(info, value, (*above, field_of), at)
        return values

    def _value(self, info: Any, value: Any, path: Path, key: str) -> Any:
        section, element = section_of(info), element_of(info)
        if section is not None and isinstance(value, Mapping | BaseModel):
            return self._section(section, as_table(value), path, key)
        self.origins[path] = Origin(self.place, key, self.is_file)
        if element is not None and isinstance(value, list | tuple):
            return [
                self._section(element, _element(each), (*path, number), f"{key}[{number}]")
                for number, each in enumerate(value)
            ]
        if path == ("profile",) and isinstance(value, str):
            return canonical(value)
        return hidden(value) if is_secret(info) else value

    def _unknown(self, model: type[BaseModel], name: str, key: str) -> Problem:
        besides = self.besides if model is self.model else ()
        here = [each for each in model.model_fields if not (self.is_file and each in ONLY_KEYWORDS)]
        known = [*(key_name(each) if self.is_file else each for each in here), *besides]
        word = key_name(name) if self.is_file else field_name(name)
        return Problem(self.place, key, f"unknown key {name!r}", did_you_mean(word, known))


def as_table(value: Any) -> Mapping[str, Any]:
    """Return a section, given as a table or as a model, as a table of what is said in it."""
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in _said(value)}
    table: Mapping[str, Any] = value
    return table


def hidden(value: Any) -> Any:
    """Return text so that nothing that prints it shows it: tracebacks may print all variables."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return Password(value) if isinstance(value, str) else value


def at_full_length(values: dict[str, Any], reader: TableReader) -> dict[str, Any]:
    """Write out what `url` is short for; a problem where both are given."""
    if "url" not in values:
        return values
    url, origin = values.pop("url"), reader.origins.pop(SHORT)
    if PRIMARY in reader.origins:
        hint = f"keep it or {reader.origins[PRIMARY].key or reader.origins[PRIMARY].place}"
        reader.problems.append(Problem(origin.place, origin.key, "given twice, it is short for another", hint))
        return values
    reader.origins[PRIMARY] = origin
    table: Any = values
    for name in PRIMARY[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            return values  # a problem of its own
    table["url"] = url
    return values


def _said(model: BaseModel) -> Iterator[str]:
    return (name for name in type(model).model_fields if name in model.model_fields_set)


def _element(value: Any) -> Mapping[str, Any]:
    return as_table(value) if isinstance(value, Mapping | BaseModel) else {"url": value}
