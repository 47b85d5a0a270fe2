"""Reads the settings that stand in variables `DBGUARD_RUNTIME_*`, or in the files that `*_FILE` variables name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import BaseModel

from pytest_dbguard.config.model import canonical
from pytest_dbguard.config.problems import Problem
from pytest_dbguard.core.errors import nearest
from pytest_dbguard.runtime.settings.fields import ONLY_KEYWORDS, Path, element_of, is_secret, kinds_of, section_of
from pytest_dbguard.runtime.settings.layers import Layer, Origin
from pytest_dbguard.runtime.settings.tables import PRIMARY, SHORT, TableReader, hidden
from pytest_dbguard.runtime.settings.variable_names import (
    FROM_FILE,
    PREFIX,
    Setting,
    known_variables,
    setting_named,
    variable_name,
)

_SWITCHES: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}
_LARGEST_FILE: Final = 65_536
_SLIP_RATIO: Final = 0.8
_NAME_OF_FILE: Final = "it holds the path of a file with the value, not the value itself; check path and permissions"


def read_variables(model: type[BaseModel], environ: Mapping[str, str]) -> Layer:
    """Return what the variables say, with all that is wrong with them; an empty variable says nothing."""
    reader = _Reader(model)
    for name in sorted(environ):
        if name.startswith(PREFIX) and environ[name].strip():
            reader.read(name, hidden(environ[name]))
        elif slip := _slip(name):
            hint = f"did you mean {slip}?"
            reader.problems.append(Problem(f"environment variable {name}", "", "unknown setting", hint))
    return reader.layer()


@dataclass(slots=True)
class _Reader:
    model: type[BaseModel]
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Path, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def read(self, variable: str, secret: Any) -> None:
        """Read one variable, or the file that it names."""
        setting, is_in_file = self._find(variable)
        place = f"environment variable {variable}"
        if setting is None:
            self.problems.append(Problem(place, "", "unknown setting", self._nearest(variable)))
        elif setting.path[-1] in ONLY_KEYWORDS:
            hint = "pass it to DatabaseSettings in the program"
            self.problems.append(Problem(place, "", "only a keyword argument can say so", hint))
        elif is_in_file:
            content, problem = _content(secret.get_secret_value(), place)
            if problem is not None:
                self.problems.append(problem)
            else:
                self._put(setting, content, place)
        else:
            self._put(setting, secret, place)

    def layer(self) -> Layer:
        """Return what was read, with the numbered replicas as lists."""
        values = _listed(self.values)
        origins = {tuple(_positions(path, self.values)): origin for path, origin in self.origins.items()}
        return Layer(values, origins, tuple(self.problems))

    def _find(self, variable: str) -> tuple[Setting | None, bool]:
        parts = variable.removeprefix(PREFIX)
        setting = setting_named(self.model, parts)
        if setting is None and parts.endswith(FROM_FILE):
            return setting_named(self.model, parts.removesuffix(FROM_FILE)), True
        return setting, False

    def _put(self, setting: Setting, secret: Any, place: str) -> None:
        path = PRIMARY if setting.path == SHORT else setting.path
        twin = next((self.origins[each] for each in self.origins if _overlap(each, path)), None)
        if twin is not None:
            self.problems.append(Problem(place, "", "given twice", f"keep it or {twin.place.rpartition(' ')[2]}"))
            return
        if section_of(setting.info) is not None or element_of(setting.info) is not None:
            self._put_json(setting, path, secret.get_secret_value(), place)
            return
        self.origins[path] = Origin(place, "")
        self._store(path, secret if is_secret(setting.info) else _value(setting, secret.get_secret_value().strip()))

    def _put_json(self, setting: Setting, path: Path, text: str, place: str) -> None:
        """Read a whole section, or a list, that is written as JSON."""
        try:
            document = json.loads(text)
        except json.JSONDecodeError:
            document = text
        if not isinstance(document, dict | list):
            hint = f"write JSON, or one variable for each setting, such as {_example(setting)}"
            self.problems.append(Problem(place, "", "expected JSON of a table or a list", hint))
            return
        nested: Any = document
        for name in reversed(path):
            nested = {name: nested}
        below = TableReader(self.model, place, is_file=False).read(nested)
        self.problems += [Problem(place, each.key, each.message, each.hint) for each in below.problems]
        inner: Any = below.values
        for name in path:
            inner = inner.get(name, {})
        self.origins |= {where: Origin(place, origin.key) for where, origin in below.origins.items()}
        self._store(path, inner)

    def _store(self, path: Path, value: Any) -> None:
        inner = self.values
        for part in path[:-1]:
            inner = inner.setdefault(str(part), {})
        inner[str(path[-1])] = value

    def _nearest(self, variable: str) -> str:
        rest = variable.removeprefix(PREFIX)
        match = nearest(rest, [each.removeprefix(PREFIX) for each in known_variables(self.model)])
        return f"did you mean {PREFIX}{match}?" if match else "dbguard config --runtime lists the settings"


def _value(setting: Setting, text: str) -> Any:
    """Return the value that the text stands for; the text itself where it stands for none."""
    kinds = kinds_of(setting.info)
    if setting.path == ("profile",):
        return canonical(text)
    if type(None) in kinds and text.lower() == "none":
        return None
    for kind in kinds:
        if kind is bool:
            return _SWITCHES.get(text.lower(), text)
        if kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                return text
    return text


def _content(name: str, place: str) -> tuple[Any, Problem | None]:
    """Return what the file holds, without the line's end that editors add.

    Its name is not quoted: whoever writes the password itself into such a variable must not find it in the log.
    """
    try:
        with FilePath(name.strip()).open(encoding="utf-8") as file:
            text = file.read(_LARGEST_FILE + 1)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        return None, Problem(place, "", f"the file that it names cannot be read: {why}", _NAME_OF_FILE)
    if not text.strip() or len(text) > _LARGEST_FILE:
        what = "is empty" if not text.strip() else f"is longer than {_LARGEST_FILE} characters"
        return None, Problem(place, "", f"the file that it names {what}", "write the value into it, and nothing else")
    return hidden(text.strip("\r\n")), None


def _slip(name: str) -> str | None:
    """Return the variable that a name is a slip of the pen for: DBGUARD_RUNTME_URL would silently say nothing."""
    ours, separator, rest = name.removeprefix("DBGUARD_").partition("_")
    is_ours = name.startswith("DBGUARD_") and separator and ours != "RUNTIME"
    return f"{PREFIX}{rest}" if is_ours and get_close_matches(ours, ["RUNTIME"], cutoff=_SLIP_RATIO) else None


def _example(setting: Setting) -> str:
    path = setting.path
    inner = section_of(setting.info)
    return variable_name((*path, next(iter(inner.model_fields))) if inner is not None else (*path, 0, "url"))


def _overlap(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _listed(values: Any) -> Any:
    """Return tables whose keys are all numbers as lists in that order."""
    if not isinstance(values, dict):
        return values
    if values and all(str(name).isdecimal() for name in values):
        return [_listed(values[name]) for name in sorted(values, key=int)]
    return {name: _listed(value) for name, value in values.items()}


def _positions(path: Path, values: dict[str, Any]) -> Iterator[str | int]:
    """Yield the parts of a path, with the position in the list for the number that was written."""
    inner: Any = values
    for part in path:
        if isinstance(part, int) and isinstance(inner, dict):
            yield sorted(inner, key=int).index(str(part))
        else:
            yield part
        inner = inner.get(str(part)) if isinstance(inner, dict) else None
