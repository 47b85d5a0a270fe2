"""Understands what projects say about their tables, migrations and seeds, and makes steps of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import MetaData

from pytest_dbguard.core.errors import DatabaseError, did_you_mean
from pytest_dbguard.templates.alembic_step import AlembicStep
from pytest_dbguard.templates.base import Step
from pytest_dbguard.templates.callable_step import CallableStep, SeedStep
from pytest_dbguard.templates.metadata_step import MetadataStep
from pytest_dbguard.templates.sql_files_step import SqlFilesStep

Kind = Literal["metadata", "migrate", "seed"]
_EXPECTED = {
    "metadata": "return a MetaData, a declarative base, a list of them, or None",
    "migrate": 'return "alembic.ini", SQL files, a function that takes an Engine, a list of them, or None',
    "seed": "return a function that takes a Session, a list of them, or None",
}


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
        metadata = tuple(_metadata(value, where))
        return (MetadataStep(metadata, where),) if metadata else ()
    values = value if isinstance(value, list | tuple) else [value]
    make = _migration if kind == "migrate" else _seed
    return [step for one in values if one is not None for step in [make(one, root, where)]]


def _metadata(value: Any, where: str) -> Iterable[MetaData]:
    if isinstance(value, str):
        value = imported(value, where)
    value = getattr(value, "metadata", value)
    if value is None:
        return
    if isinstance(value, MetaData):
        yield value
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for one in value:
            yield from _metadata(one, where)
    else:
        raise _refusal("metadata", value, where)


def _migration(value: Any, root: Path, where: str) -> Step:
    if isinstance(value, str) and ":" in value and "/" not in value:
        value = imported(value, where)
    if isinstance(value, str | Path):
        return _files(str(value), root, where)
    if callable(value):
        return CallableStep(value, _name_of(value, where), root)
    if hasattr(value, "get_main_option"):
        ini = getattr(value, "config_file_name", None)
        return AlembicStep(None if ini is None else Path(ini), value, str(ini or "an Alembic Config"))
    raise _refusal("migrate", value, where)


def _files(text: str, root: Path, where: str) -> Step:
    path = root / text
    if path.is_dir() and (path / "env.py").is_file():
        return AlembicStep(None, _config_for(path), text)
    if path.suffix == ".ini":
        if not path.is_file():
            raise DatabaseError(f"{where}: there is no file {str(path)!r}", hint="paths are relative to the root")
        return AlembicStep(path, name=text)
    files = [path] if path.is_file() else sorted(root.glob(text)) if not Path(text).is_absolute() else []
    files = [file for file in files if file.is_file()]
    if not files:
        raise DatabaseError(
            f"{where}: there is no file {text!r} below {str(root)!r}",
            hint="name an alembic.ini, a directory with env.py, SQL files or a glob, or `module:function`",
        )
    return SqlFilesStep(tuple(files), text)


def _config_for(directory: Path) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(directory))
    return config


def _seed(value: Any, root: Path, where: str) -> Step:
    if isinstance(value, str):
        value = imported(value, where)
    if not callable(value):
        raise _refusal("seed", value, where)
    return SeedStep(value, _name_of(value, where), root)


def imported(spec: str, where: str) -> Any:
    """Return what "module:attribute" names.

    Raises:
        DatabaseError: When it is not there, naming the nearest attribute.
    """
    module, _, path = spec.partition(":")
    if not path:
        raise DatabaseError(f"{where}: expected `module:attribute`, not {spec!r}", hint='such as "shop.models:Base"')
    try:
        found: Any = import_module(module)
    except ImportError as error:
        raise DatabaseError(f"{where}: {spec!r}: {error}", hint="set `pythonpath` in pytest's configuration") from error
    for name in path.split("."):
        if not hasattr(found, name):
            raise DatabaseError(f"{where}: {module!r} has no {name!r}", hint=did_you_mean(name, vars(found)))
        found = getattr(found, name)
    return found


def _name_of(function: Callable[..., Any], where: str) -> str:
    name = getattr(function, "__qualname__", type(function).__name__)
    return f"{name} of {where}"


def _refusal(kind: Kind, value: Any, where: str) -> DatabaseError:
    return DatabaseError(f"the {where} returned {type(value).__name__!r}", hint=_EXPECTED[kind])
