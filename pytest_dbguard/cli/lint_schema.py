"""Finds the schema that `dbguard lint` judges by: of a database, of models, of what the settings build, or none."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_dbguard.core.errors import ConfigError, DbguardError

if TYPE_CHECKING:
    from pytest_dbguard.config.model import Config
    from pytest_dbguard.core.findings import Site
    from pytest_dbguard.schema.catalog import Catalog

NO_SCHEMA = "none"


@dataclass(frozen=True, slots=True)
class LintSchema:
    """What is known of tables.

    Attributes:
        catalog: The schema; None where nothing tells it.
        sites: Where the models declare tables.
        told: Lines about it.
        files: Files that it was read from, or that decide it.
        is_remote: Whether it was read from a server, where it may change at any time.
    """

    catalog: Catalog | None = None
    sites: Mapping[tuple[str, str], Site] = field(default_factory=lambda: MappingProxyType({}))
    told: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    is_remote: bool = False


def lint_schema(
    config: Config,
    root: Path,
    *,
    database: str | None,
    schema: str | None,
    models: Sequence[str],
    dialect: str | None = None,
) -> LintSchema:
    """Return the schema: of `database`, else of `schema`, else of models that are judged, else of the settings.

    What only the settings say may fail: the hook of a commit runs where the project's packages are not installed.

    Raises:
        ConfigError: For a database and a schema at once, and for models that are nothing with tables.
        DatabaseError: When what was named cannot be read.
    """
    if database is not None and schema not in (None, NO_SCHEMA):
        raise ConfigError("--database and --schema both say which schema", hint="keep one of the two")
    if database is not None:
        return replace(_of_database(database, config, root), sites=_sites_of(config, root))
    if schema == NO_SCHEMA:
        return LintSchema()
    named = ([schema] if schema is not None else []) + [name for name in models if name != schema]
    if named:
        return _of_named_models(named, config, root, dialect)
    return _of_settings(config, root, dialect)


def _of_database(url: str, config: Config, root: Path) -> LintSchema:
    from pytest_dbguard.cli.schema_sources import read_schema

    found = read_schema(url, config, root)
    file = Path(url.partition("///")[2] if "://" in url else url)
    is_file = url.startswith("sqlite") or "://" not in url
    return LintSchema(found.catalog, files=(file.absolute(),) if is_file else (), is_remote=not is_file)


def _of_named_models(names: Sequence[str], config: Config, root: Path, dialect: str | None) -> LintSchema:
    """Return the schema of models that were asked for; what breaks while they are imported is theirs, not ours."""
    try:
        return _of_models(names, config, root, dialect)
    except DbguardError:
        raise
    except (Exception, SystemExit) as error:  # importing a project may do anything
        module = names[0].partition(":")[0]
        raise ConfigError(
            f"models: {', '.join(names)}: {type(error).__name__} while importing",
            hint=f'python -c "import {module}" shows where',
        ) from error


def _of_models(names: Sequence[str], config: Config, root: Path, dialect: str | None = None) -> LintSchema:
    from pytest_dbguard.cli.schema_sources import catalog_of_models
    from pytest_dbguard.linting.model_sites import model_sites
    from pytest_dbguard.templates.steps import imported, steps_for

    steps = steps_for("metadata", list(names), root=root, place="models")
    metadata = [each for step in steps for each in getattr(step, "metadata", ())]
    if not metadata:
        raise ConfigError(f"{', '.join(names)} is nothing with tables", hint="such as shop.models:Base")
    catalog = catalog_of_models(metadata, config, dialect)
    sites = model_sites([imported(name, root, "models") for name in names], root)
    return LintSchema(catalog, sites, files=_project_files(root))


def _of_settings(config: Config, root: Path, dialect: str | None = None) -> LintSchema:
    names = _names(config.metadata)
    if not names:
        told = ("no schema: `migrations` would have to be run; --schema or --database names one",)
        return LintSchema(told=told if config.migrations else ())
    try:
        return _of_models(names, config, root, dialect)
    except Exception as error:  # noqa: BLE001  importing a project may do anything
        reason = error.message if isinstance(error, DbguardError) else f"{type(error).__name__} while importing"
        return LintSchema(told=(f"no schema: {reason}; --schema none leaves it out",))


def _names(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _sites_of(config: Config, root: Path) -> Mapping[tuple[str, str], Site]:
    """Return where the models of the settings declare tables, where they can be imported."""
    return _of_settings(config, root).sites if config.metadata else {}


def _project_files(root: Path) -> tuple[Path, ...]:
    """Return the files that this process has imported and that are no library: also those of sibling packages."""
    from pytest_dbguard.recording.ownership import CodeKind, Ownership

    ownership = Ownership(root)
    names = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    files = {name for name in names if isinstance(name, str) and name.endswith(".py")}
    return tuple(sorted(Path(name) for name in files if ownership.of(name)[0] is not CodeKind.LIBRARY))
