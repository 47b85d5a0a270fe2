"""`dbguard advise`: the smallest set of indexes for a whole workload."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pytest_dbguard.cli.output import OutputFormat, standard_output
from pytest_dbguard.cli.project import DirectoryOption, FileOption, project_root
from pytest_dbguard.core.errors import ConfigError

if TYPE_CHECKING:
    from pytest_dbguard.config.model import Config
    from pytest_dbguard.planning.advice.model import Advice
    from pytest_dbguard.planning.workload import Workload
    from pytest_dbguard.schema.catalog import Catalog

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*", re.IGNORECASE)
_HOW = "pytest --dbguard --dbguard-save-workload FILE saves what a run of the tests executed"
DEFAULT_FILE = "dbguard-workload.json"

RunArgument = Annotated[
    Path | None,
    typer.Argument(metavar="RUN", help=f"A saved run or an export of production. Default: {DEFAULT_FILE}."),
]
WorkloadOption = Annotated[
    Path | None, typer.Option("--workload", metavar="EXPORT", help="What production runs, and how often.")
]
BudgetOption = Annotated[
    str | None, typer.Option("--budget", metavar="SIZE", help="What new indexes may weigh: 500MB, 2GB.")
]
MaxOption = Annotated[int | None, typer.Option("--max-indexes", metavar="N", min=0, help="How many there may be.")]
TimeOption = Annotated[float, typer.Option("--time", metavar="SECONDS", min=1, help="When to stop searching.")]
AlembicOption = Annotated[
    Path | None, typer.Option("--alembic", metavar="FILE", help="Write a migration there; a directory gets a new one.")
]
SqlOption = Annotated[Path | None, typer.Option("--sql", metavar="FILE", help="Write the SQL statements there.")]
DatabaseOption = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="Take the schema from this database; nothing runs there."),
]
SchemaOption = Annotated[
    str | None, typer.Option("--schema", metavar="MODELS", help="Take it from models, as module:attribute.")
]
StatisticsOption = Annotated[
    str | None, typer.Option("--statistics", metavar="FILE", help="Production's statistics. Default: the setting.")
]


def advise(
    run: RunArgument = None,
    workload: WorkloadOption = None,
    budget: BudgetOption = None,
    max_indexes: MaxOption = None,
    time: TimeOption = 30,
    alembic: AlembicOption = None,
    sql: SqlOption = None,
    database: DatabaseOption = None,
    schema: SchemaOption = None,
    statistics: StatisticsOption = None,
    output_format: Annotated[
        OutputFormat, typer.Option("--format", help="Text for people, JSON for programs.")
    ] = OutputFormat.TEXT,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show all statements and how it was found.")] = False,
    env: Annotated[str | None, typer.Option("--env", metavar="NAME", help="The environment to use.")] = None,
    directory: DirectoryOption = None,
    file: FileOption = None,
) -> None:
    """Advise the smallest set of indexes for a workload: what it gains, what writes pay, and the code.

    Candidates are made in a copy of the schema without rows, at production's sizes, and judged together by the
    database's own planner. Nothing is changed but that copy. Ctrl-C and --time end the search with the best set so far.
    """
    from pytest_dbguard.config.load import load_config
    from pytest_dbguard.reports.advice_code import sql_statements

    root = project_root(directory)
    stats = None if statistics is None else str((Path.cwd() / statistics).resolve())
    config = load_config(root, file=file and file.resolve(), flags={"env": env, "statistics": stats})
    budget_bytes = None if budget is None else size_in_bytes(budget)
    if database is not None and schema is not None:
        raise ConfigError("--database and --schema both say which schema", hint="keep one of the two")
    for name, path in (("--alembic", alembic), ("--sql", sql)):
        _check_place(name, path)
    ran, catalog, told = _inputs(run or _default_run(root), workload, database or schema, config, root)
    advice = _advice(ran, catalog, config, root, budget_bytes=budget_bytes, most=max_indexes, seconds=time, told=told)
    written = [] if alembic is None else _write_revision(alembic, advice, catalog)
    if sql is not None:
        sql.write_text("".join(f"{line}\n" for line in sql_statements(advice, catalog)), encoding="utf-8")
        written.append(f"wrote {sql}")
    _print(advice, catalog, output_format, is_verbose=verbose)
    for line in written:
        # beside the advice, which may be JSON; a path is not to be broken into lines
        typer.echo(line, err=True)


def size_in_bytes(text: str) -> int:
    """Return the bytes of `500MB`, `2 GB`, `64MiB`, `1000000`; units are steps of 1 024, as databases count them.

    Raises:
        ConfigError: For anything else.
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ConfigError(f"--budget: {text!r} is no size", hint="such as 500MB or 2GB")
    return int(float(found[1]) * 1024 ** " kmgt".index(found[2].lower() or " "))


def _default_run(root: Path) -> Path:
    path = root / DEFAULT_FILE
    if not path.is_file():
        raise ConfigError(f"no workload: there is no {DEFAULT_FILE} here and none was named", hint=_HOW)
    return path


def _inputs(
    run: Path, export: Path | None, target: str | None, config: Config, root: Path
) -> tuple[Workload, Catalog, tuple[str, ...]]:
    """Return what runs, on which schema, and what is to be told of it.

    Raises:
        ConfigError: When a file is not there or cannot be understood, or nothing tells the schema.
    """
    from pytest_dbguard.cli.schema_sources import read_schema
    from pytest_dbguard.planning.advice.application import of_application
    from pytest_dbguard.planning.weights import weighted
    from pytest_dbguard.planning.workload_source import read_workload_source

    if not run.is_file():
        raise ConfigError(f"there is no file {str(run)!r}", hint=_HOW)
    loaded = read_workload_source(run)
    if not loaded.pairs:
        raise ConfigError(f"{run}: no statement is in it", hint=_HOW)
    ran, known = loaded.pairs[0]
    production = None if export is None else read_workload_source(export).pairs[0][0]
    if loaded.source == "run":
        ran = of_application(ran, production)
    told = _others(len(loaded.pairs) - 1)
    if loaded.source == "run" and export is None:
        told += ("statements count as often as tests ran them: --workload takes production's counts",)
    if production is not None:
        ran = weighted(ran, production)
    catalog = known if target is None else None
    return ran, catalog if catalog is not None else read_schema(target, config, root).catalog, told


def _others(count: int) -> tuple[str, ...]:
    if not count:
        return ()
    others = "another schema" if count == 1 else f"{count} other schemas"
    return (f"the file holds statements of {others} as well; those of the one with most statements were taken",)


def _advice(
    ran: Workload,
    catalog: Catalog,
    config: Config,
    root: Path,
    *,
    budget_bytes: int | None,
    most: int | None,
    seconds: float,
    told: tuple[str, ...],
) -> Advice:
    """Search in a lab of the schema.

    Raises:
        ConfigError: When no lab can be made: without a planner there is no advice on a whole workload.
    """
    from dataclasses import replace

    from pytest_dbguard.analysis.plan_sources import PlanSources
    from pytest_dbguard.cli.interruption import interruptible
    from pytest_dbguard.cli.progress import progress_bar
    from pytest_dbguard.core.errors import DbguardError
    from pytest_dbguard.databases.settings import start_options
    from pytest_dbguard.planning.advice.advise import advise as search

    sources = PlanSources(root, config.statistics, config.scale, config.lab, start_options(config, root))
    try:
        sizes = sources.statistics_for(catalog)
        choice = sources.open_lab(catalog, sizes)
        if choice.lab is None:
            raise ConfigError(
                f"no advice without a planner: {choice.reason}", hint="dbguard doctor tells what is missing"
            )
        try:
            with interruptible() as is_stopped, progress_bar() as progress:
                found = search(
                    ran, catalog, sizes, choice.lab,
                    budget_bytes=budget_bytes, max_indexes=most, deadline_s=seconds, progress=progress,
                    is_stopped=is_stopped,
                )  # fmt: skip
        finally:
            with suppress(DbguardError):
                choice.lab.close()
    finally:
        sources.close()
    return replace(found, told=(*found.told, *told, *sources.drift_from(catalog)))


def _check_place(name: str, path: Path | None) -> None:
    """Find out before the search whether a file can be written there."""
    if path is None or (name == "--alembic" and path.is_dir()):
        return
    if path.is_dir():
        raise ConfigError(f"{name}: {str(path)!r} is a directory, not a file")
    if not path.parent.is_dir():
        raise ConfigError(f"{name}: there is no directory {str(path.parent)!r}")


def _write_revision(path: Path, advice: Advice, catalog: Catalog) -> list[str]:
    """Write the migration, which follows the heads that are there, and return what is to be told of it."""
    from pytest_dbguard.reports.advice_code import alembic_revision, heads_in, revision_of

    revision = revision_of(advice, catalog)
    if not revision:
        return ["there is nothing to migrate: no migration was written"]
    place = path / f"{revision}_advised_indexes.py" if path.is_dir() else path
    # the same advice may have been written there before, and follows what it followed then
    heads = heads_in(place.parent, without=revision)
    place.write_text(alembic_revision(advice, catalog, heads), encoding="utf-8")
    return [f"wrote {place}"]


def _print(advice: Advice, catalog: Catalog, output_format: OutputFormat, *, is_verbose: bool) -> None:
    from pytest_dbguard.reports.advice_document import advice_document
    from pytest_dbguard.reports.advice_text import advice_lines

    if output_format is OutputFormat.JSON:
        print(json.dumps(advice_document(advice, catalog), indent=2, ensure_ascii=False))
        return
    output = standard_output()
    for line in advice_lines(advice, catalog, width=output.width, style=output.style, is_verbose=is_verbose):
        output.line(line)
