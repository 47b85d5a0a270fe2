"""`dbguard stats export|check`: what production's planner knows, as a file to commit; whether it fits the models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pytest_dbguard.cli.output import Output, standard_output
from pytest_dbguard.cli.project import DirectoryOption, FileOption, project_root

if TYPE_CHECKING:
    from pytest_dbguard.config.model import Config
    from pytest_dbguard.planning.statistics.model import Statistics

_STDOUT = "-"

EnvOption = Annotated[str | None, typer.Option("--env", metavar="NAME", help="The environment to use.")]

stats = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Export the planner's statistics of production; check the file.",
)


@stats.command(short_help="Write what a database's planner knows to dbguard-stats.json.")
def export(
    target: Annotated[
        str, typer.Argument(metavar="URL", help="A database, or a file that pg_dump --statistics-only wrote.")
    ],
    output_file: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write there; - prints. Default: the setting, or dbguard-stats.json."
        ),
    ] = None,
    with_values: Annotated[
        bool, typer.Option("--with-values", help="Also common values and histograms, which are data of rows.")
    ] = False,
    schema: Annotated[
        list[str] | None, typer.Option("--schema", metavar="NAME", help="Only this schema; may be given several times.")
    ] = None,
    directory: DirectoryOption = None,
    file: FileOption = None,
) -> None:
    """Write what a database's planner knows of its tables to a file that can be committed.

    Sizes, numbers of different values, shares of NULLs, heights of indexes; no value of any row unless --with-values
    asks for them. A role that may only read is enough: tables that it may not read keep their sizes, and "notes" in
    the file tells. Needs no superuser and no extension, changes nothing, and holds up nobody. The password may stand
    in PGPASSWORD or ~/.pgpass instead of the URL.
    """
    from pytest_dbguard.planning.statistics.file import to_text, write_statistics
    from pytest_dbguard.planning.statistics.source import export as exported

    found = exported(target, values=with_values, schemas=schema)
    if output_file == _STDOUT:
        print(to_text(found), end="")
        return
    path = Path(output_file) if output_file is not None else _default_path(project_root(directory), file)
    write_statistics(path, found)
    _print(standard_output(), _shown(path), found)


@stats.command(short_help="Tell whether the file can be used, and how it differs from the models.")
def check(
    path: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Default: the one that tests use.")] = None,
    env: EnvOption = None,
    directory: DirectoryOption = None,
    file: FileOption = None,
) -> int:
    """Tell what the file holds, and how its schema differs from the project's models.

    Exit status 1 when they differ, 2 when the file or [tool.dbguard.scale] cannot be used.
    """
    from pytest_dbguard.config.load import load_config
    from pytest_dbguard.planning.statistics.load import load_statistics, statistics_file
    from pytest_dbguard.planning.statistics.model import DEFAULT_FILE

    root = project_root(directory)
    config = load_config(root, file=file and file.resolve(), flags={} if env is None else {"env": env})
    named = str(path.resolve()) if path is not None else config.statistics
    found = load_statistics(root, path=named, scale=config.scale)
    output = standard_output()
    if statistics_file(root, named) is None:
        tables = f"{_count(len(found.tables), 'table')}, each of the others" if found.tables else "each table"
        output.paragraph(f"no {DEFAULT_FILE}; {found.source}: {tables} holds {found.default_rows:,.0f} rows")
    else:
        _print(output, found.source, found)
    lines = _differences(found, config, root)
    for line in lines:
        output.paragraph(line, indent="    ", first="  ")
    return 1 if lines else 0


def summary(statistics: Statistics) -> str:
    """Return in one line what statistics hold."""
    tables = statistics.tables
    columns, indexes = sum(len(table.columns) for table in tables), sum(len(table.indexes) for table in tables)
    largest = max(tables, key=lambda table: table.rows, default=None)
    size = f", the largest with {largest.rows:,.0f} rows" if largest is not None else ""
    return f"{_count(len(tables), 'table')}{size}, {_count(columns, 'column')}, {_count(indexes, 'index', 'indexes')}"


def _shown(path: Path) -> str:
    """Return a path as people write it: from here where it is below."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _print(output: Output, name: str, statistics: Statistics) -> None:
    output.paragraph(f"{name}: {summary(statistics)}", indent="  ", first="")
    values = "values of rows are in it" if statistics.has_values else "no value of any row is in it"
    for note in (values, *statistics.notes):
        output.paragraph(note, indent="    ", first="  ")


def _default_path(root: Path, file: Path | None) -> Path:
    from pytest_dbguard.config.load import load_config
    from pytest_dbguard.planning.statistics.model import DEFAULT_FILE

    return root / (load_config(root, file=file and file.resolve()).statistics or DEFAULT_FILE)


def _differences(statistics: Statistics, config: Config, root: Path) -> tuple[str, ...]:
    """Return how the statistics differ from the configured models; () where none are configured."""
    from pytest_dbguard.cli.schema_sources import read_schema
    from pytest_dbguard.planning.statistics.drift import differences

    if config.metadata is None and config.migrations is None:
        standard_output().paragraph(
            "nothing to compare them with: [tool.dbguard] has neither `metadata` nor `migrations`"
        )
        return ()
    catalog = read_schema(None, config, root).catalog
    return differences(statistics, catalog)
