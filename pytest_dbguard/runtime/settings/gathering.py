"""Brings the sources of settings together: which profile holds, what each source says, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from pytest_dbguard.config.model import canonical
from pytest_dbguard.config.problems import Problem, quote
from pytest_dbguard.core.errors import did_you_mean
from pytest_dbguard.runtime.settings.checking import checked
from pytest_dbguard.runtime.settings.fields import Path
from pytest_dbguard.runtime.settings.layers import Layer, Origin, merged
from pytest_dbguard.runtime.settings.profiles import PROFILES, Profile, defaults_of
from pytest_dbguard.runtime.settings.toml_file import FileSettings
from pytest_dbguard.runtime.settings.variable_names import variable_name

SHARED_VARIABLE = "DBGUARD_ENV"
"""Names the environment for the tests' side too."""

_PROFILE: Path = ("profile",)


@dataclass(frozen=True, slots=True)
class Sources:
    """What is said where; stronger ones first."""

    keywords: Layer = field(default_factory=Layer)
    variables: Layer = field(default_factory=Layer)
    file: FileSettings = field(default_factory=FileSettings)
    shared: str = ""
    """Value of `SHARED_VARIABLE`."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """The settings in force, as far as they are right, and all that is wrong in the sources."""

    layer: Layer
    wrong: tuple[Path, ...] = ()
    """Where values were left out, since they were wrong."""

    in_file: tuple[Layer, ...] = ()
    """What the file says for the profile in use, right or overridden."""


def gathered(model: type[BaseModel], sources: Sources) -> Gathered:
    """Return what the sources say together.

    Also the tables of profiles that are not in use are checked: what is wrong in production's is told in development.
    """
    wrong: list[Path] = []

    def check(layer: Layer) -> Layer:
        good, paths = checked(model, layer)
        wrong.extend(paths)
        return good

    common, variables, keywords = check(sources.file.common), check(sources.variables), check(sources.keywords)
    tables = {name: checked(model, table) for name, table in sources.file.by_profile.items()}
    profile, chosen = _profile(keywords, variables, common, sources.shared)
    in_use, paths = tables.get(profile, (Layer(), ()))
    idle = [Layer(problems=table.problems) for name, (table, _) in tables.items() if name != profile]
    layer = merged(defaults_of(profile), sources.file.project, common, in_use, variables, keywords, chosen, *idle)
    return Gathered(layer, (*wrong, *paths), (common, in_use))


def _profile(keywords: Layer, variables: Layer, common: Layer, shared: str) -> tuple[Profile, Layer]:
    """Return the profile in use, and a layer that holds it."""
    for layer in (keywords, variables, common):
        if "profile" in layer.values:
            profile: Profile = layer.values["profile"]
            return profile, Layer({"profile": profile}, {_PROFILE: layer.origins[_PROFILE]})
    for known in PROFILES:
        if known == canonical(shared):
            return known, Layer({"profile": known}, {_PROFILE: Origin(_place(SHARED_VARIABLE), "")})
    default: Profile = "development"
    return default, Layer({"profile": default}, problems=_not_a_profile(shared) if shared else ())


def _not_a_profile(name: str) -> tuple[Problem, ...]:
    """Return the problem: an environment of another name may be a server's, where development's checks are too weak."""
    message = f"{quote(name)} is no profile of the runtime"
    hint = f"{did_you_mean(name, PROFILES)}; else set {variable_name(_PROFILE)}"
    return (Problem(_place(SHARED_VARIABLE), "", message, hint),)


def _place(variable: str) -> str:
    return f"environment variable {variable}"


def read_shared(environ: Mapping[str, str]) -> str:
    """Return the environment that the tests' side and the runtime share; "" for none."""
    return environ.get(SHARED_VARIABLE, "").strip()
