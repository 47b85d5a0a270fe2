"""Understands what projects say about their tables, migrations and seeds, and makes steps of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import MetaData

from pytest_dbguard.core.errors import DatabaseError, did_you_mean
from pytest_dbguard.templates.alembic_step import AlembicStep, config_of
from pytest_dbguard.templates.base import Step
from pytest_dbguard.templates.callable_step import CallableStep, SeedStep
from pytest_dbguard.templates.metadata_step import MetadataStep
from pytest_dbguard.templates.sql_files_step import SqlFilesStep

Kind = Literal["metadata", "migrate", "seed"]
_EXPECTED = {
    "metadata": "expected a MetaData, a declarative base, a list of them, or None",
    "migrate": 'expected "alembic.ini", an Alembic Config, SQL files, a function of an Engine, a list of them, or None',
    "seed": "expected a function of a Session, a list of them, or None",
}
# of a module or package, and what is in it; C:\path is none
_SPEC = re.compile(r"[^\W\d][\w.]*:[^\W\d][\w.]*")


def steps_for(kind: Kind, value: Any, *, root: Path, place: str | None = None) -> Sequence[Step]:
    """Return the steps of what a fixture or setting says.

    Args:
        kind: What the value is to build.
        value: What the fixture returned or the setting says; text is "module:attribute" or a path below `root`.
        root: Directory of the project.
        place: What to call it in errors; None for the fixture of that kind.

    Raises:
        DatabaseError: For what cannot be understood, naming the place and what it may be.
    """
    where = place or f"fixture 'dbguard_{kind}'"
    if kind == "metadata":
        metadata = tuple(dict.fromkeys(_metadata(value, root, where)))
        return (MetadataStep(metadata, where),) if metadata else ()
    values = value if isinstance(value, list | tuple) else [value]
    make = _migration if kind == "migrate" else _seed
    return tuple(make(one, root, where) for one in values if one is not None)


def imported(spec: str, root: Path, where: str) -> Any:
    """Return what "module:attribute" names.

    Raises:
        DatabaseError: When it is not there, naming the nearest attribute.
    """
    module, _, path = spec.partition(":")
    if not path:
        raise DatabaseError(f"{where}: expected `module:attribute`, not {spec!r}", hint='such as "shop.models:Base"')
    _find_below(root, module.partition(".")[0])
    try:
        found: Any = import_module(module)
    except ImportError as error:
        hint = f"is it importable from {str(root)!r}? pytest's setting `pythonpath` adds directories"
        raise DatabaseError(f"{where}: {spec!r}: {error}", hint=hint) from error
    for name in path.split("."):
        if not hasattr(found, name):
            raise DatabaseError(f"{where}: {module!r} has no {name!r}", hint=did_you_mean(name, vars(found)))
        found = getattr(found, name)
    return found


def _find_below(root: Path, package: str) -> None:
    """Have a project's own package found that is not installed: pytest and our command start anywhere."""
    for base in (root, root / "src"):
        is_there = (base / package).is_dir() or (base / f"{package}.py").is_file()
        if is_there and package not in sys.modules and str(base) not in sys.path:
            sys.path.append(str(base))


def _metadata(value: Any, root: Path, where: str) -> Iterable[MetaData]:
    if isinstance(value, str):
        value = imported(value, root, where)
    value = getattr(value, "metadata", value)
    if value is None:
        return
    if isinstance(value, MetaData):
        yield value
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _metadata(one, root, where)
    else:
        raise _refusal("metadata", value, where)


def _migration(value: Any, root: Path, where: str) -> Step:
    if isinstance(value, str) and _SPEC.fullmatch(value):
        value = imported(value, root, where)
    if isinstance(value, str | Path):
        return _files(str(value), root, where)
    if hasattr(value, "get_main_option"):
        ini = value.config_file_name
        return AlembicStep(None if ini is None else Path(ini).resolve(), value, str(ini or f"the Config of {where}"))
    if callable(value):
        return CallableStep(value, _name_of(value, where), root)
    raise _refusal("migrate", value, where)


def _files(text: str, root: Path, where: str) -> Step:
    path = root / text
    if path.is_dir() and (path / "env.py").is_file():
        return AlembicStep(None, config_of(path), text)
    if path.suffix in {".ini", ".cfg"} and path.is_file():
        return AlembicStep(path.resolve(), None, text)
    found = [path] if path.is_file() else path.glob("*.sql") if path.is_dir() else _globbed(path)
    files = tuple(sorted((file for file in found if file.is_file()), key=_natural))
    if not files:
        raise DatabaseError(
            f"{where}: there is no file {text!r} below {str(root)!r}",
            hint="name an alembic.ini, a directory with env.py or SQL files, a glob of these, or `module:function`",
        )
    return SqlFilesStep(files, text)


def _globbed(path: Path) -> Iterable[Path]:
    base = Path(path.anchor)
    return base.glob(str(path.relative_to(base))) if "*" in str(path) or "?" in str(path) else ()


def _natural(path: Path) -> list[tuple[int, str]]:
    """Order as people count: V9 before V10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", str(path))]


def _seed(value: Any, root: Path, where: str) -> Step:
    if isinstance(value, str):
        value = imported(value, root, where)
    if not callable(value):
        raise _refusal("seed", value, where)
    return SeedStep(value, _name_of(value, where), root)


def _name_of(function: Callable[..., Any], where: str) -> str:
    name = getattr(function, "__qualname__", type(function).__name__).rpartition("<locals>.")[2]
    return f"{name} of {where}"


def _refusal(kind: Kind, value: Any, where: str) -> DatabaseError:
    return DatabaseError(f"{where}: a {type(value).__name__!r} is not understood", hint=_EXPECTED[kind])
