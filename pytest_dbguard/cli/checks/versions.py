"""Check Python and the packages that dbguard stands on against what its metadata asks for."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from pytest_dbguard.cli.checks.base import Check, State, Subject

DISTRIBUTION = "pytest-dbguard"

_EXTRA_OF_EXTRAS = "all"


def check_versions(subject: Subject) -> Iterator[Check]:
    """Yield Python, each required package, and each extra."""
    try:
        described = metadata(DISTRIBUTION)
    except PackageNotFoundError:
        yield Check(State.PROBLEM, f"{DISTRIBUTION} is not installed", f"pip install {DISTRIBUTION}")
        return
    yield _python(",".join(described.get_all("Requires-Python") or ()))
    requirements = [Requirement(text) for text in described.get_all("Requires-Dist") or ()]
    yield from (_required(each) for each in requirements if _is_needed(each, ""))
    for extra in described.get_all("Provides-Extra") or ():
        if extra == _EXTRA_OF_EXTRAS:
            continue
        yield from _extra(
            extra, [each for each in requirements if _is_needed(each, extra) and not _is_needed(each, "")]
        )


def _python(wanted: str) -> Check:
    found = platform.python_version()
    if SpecifierSet(wanted).contains(found, prereleases=True):
        return Check(State.OK, f"Python {found}")
    return Check(State.PROBLEM, f"Python {found} is not {wanted}", "use a newer Python")


def _required(requirement: Requirement) -> Check:
    missing = _shortfall(requirement)
    if missing:
        return Check(State.PROBLEM, missing, f"pip install '{requirement.name}{requirement.specifier}'")
    return Check(State.OK, f"{requirement.name} {version(requirement.name)}")


def _extra(extra: str, requirements: list[Requirement]) -> Iterator[Check]:
    """Yield one check for an extra that needs anything."""
    missing = [text for each in requirements if (text := _shortfall(each))]
    if missing:
        what = f"optional {extra}: {', '.join(missing)}"
        yield Check(State.NOTE, what, f"pip install '{DISTRIBUTION}[{extra}]'")
    elif requirements:
        found = ", ".join(f"{each.name} {version(each.name)}" for each in requirements)
        yield Check(State.OK, f"optional {extra}: {found}")


def _shortfall(requirement: Requirement) -> str:
    """Return what is wrong with the installed version; "" for nothing."""
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is not installed"
    if requirement.specifier.contains(found, prereleases=True):
        return ""
    return f"{requirement.name} {found} is not {requirement.specifier}"


def _is_needed(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
