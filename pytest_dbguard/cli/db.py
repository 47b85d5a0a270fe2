"""`dbguard db up|down|list|prune`: a database to work with, and what is kept of those that tests use."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pytest_dbguard.cli.db_servers import Known, is_of, known_servers, settings, shown_url, started
from pytest_dbguard.cli.output import OutputFormat, standard_output
from pytest_dbguard.cli.project import DirectoryOption, FileOption, project_root

if TYPE_CHECKING:
    from pytest_dbguard.templates.inventory import Item

FORMAT = 1
"""Version of the JSON. 1: "servers", each with url, kind, kept, project and databases; "files" of SQLite."""

_MB = 1 << 20
_AGES = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))

EnvOption = Annotated[str | None, typer.Option("--env", metavar="NAME", help="The environment to use.")]
DatabaseOption = Annotated[
    str | None, typer.Option("--database", metavar="KIND", help="Kind of database, such as postgres-embedded.")
]
FormatOption = Annotated[OutputFormat, typer.Option("--format", help="Text for people, JSON for programs.")]

db = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Start a database to work with; list and delete what tests have left.",
)


@db.command(short_help="Start a database with the project's tables and seeds, and print its URL.")
def up(
    env: EnvOption = None,
    database: DatabaseOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make it anew, with the tables and seeds of now.")] = False,
    show_password: Annotated[bool, typer.Option("--show-password", help="Print the URL with its password.")] = False,
    directory: DirectoryOption = None,
    file: FileOption = None,
) -> None:
    """Start a database with the project's tables and seeds, and print its URL, ready for psql.

    It is made from `metadata`, `migrations` and `seed` in [tool.dbguard], and stays until `dbguard db down`.
    """
    from pytest_dbguard.templates.configured import configured_recipe
    from pytest_dbguard.templates.development import open_database

    root = project_root(directory)
    config = settings(root, file, env, database)
    recipe = configured_recipe(config, root)
    known = started(config, root)
    found = open_database(known.server, recipe, root, secrets.token_hex(4), is_fresh=fresh)
    output = standard_output()
    output.line(shown_url(known.server, found.name, with_password=show_password))
    if found.is_outdated:
        output.paragraph("its tables or seeds have changed since it was made; to make it anew: dbguard db up --fresh")


@db.command(short_help="Delete that database, and stop the server that was started for it.")
def down(
    env: EnvOption = None,
    database: DatabaseOption = None,
    directory: DirectoryOption = None,
    file: FileOption = None,
) -> None:
    """Delete the database of `dbguard db up`, and stop the servers that were kept for this project.

    Servers that tests run on are left alone; kept databases of failed tests go with their server.
    """
    from pytest_dbguard.databases.kept_servers import stop_kept
    from pytest_dbguard.templates.development import close_databases
    from pytest_dbguard.templates.inventory import has_living_runs

    root = project_root(directory)
    output, is_nothing = standard_output(), True
    for known in known_servers(settings(root, file, env, database), root):
        if known.kept is not None and not is_of(known, root):
            continue
        for name in close_databases(known.server, root):
            is_nothing = False
            output.line(f"deleted {name}")
        if known.kept is not None:
            is_nothing = False
            if has_living_runs(known.server):
                output.line(f"left alone {known.shown}: tests run on it")
            else:
                stop_kept(known.kept)
                output.line(f"stopped {known.shown}")
    if is_nothing:
        output.line("nothing is up")


@db.command("list", short_help="List templates, copies, kept databases and servers.")
def list_databases(
    output_format: FormatOption = OutputFormat.TEXT,
    env: EnvOption = None,
    database: DatabaseOption = None,
    directory: DirectoryOption = None,
    file: FileOption = None,
) -> None:
    """List templates, copies, kept databases and servers: what they are, how large, how old, and whose."""
    from pytest_dbguard.databases.snapshots import kept_files
    from pytest_dbguard.templates.inventory import inventory

    root = project_root(directory)
    found = [(known, inventory(known.server)) for known in known_servers(settings(root, file, env, database), root)]
    if output_format is OutputFormat.JSON:
        servers = [_document(*each) for each in found]
        print(json.dumps({"format": FORMAT, "servers": servers, "files": [*map(str, kept_files(root))]}, indent=2))
        return
    output, files = standard_output(), kept_files(root)
    for path in files:
        output.line(f"sqlite {path} ({_megabytes(path.stat().st_size)} MB), kept of a failed test")
    if not found and not files:
        output.line("no database is kept, and no server is configured by its URL")
    for known, items in found:
        project = known.kept.project if known.kept is not None else None
        output.line(f"{known.server.kind} {known.shown}{f', kept for {project}' if project else ''}")
        if items:
            header = ("NAME", "KIND", "MB", "USED", "PROJECT", "TEST")
            output.table([_row(item, root) for item in items], header=header)
        output.line("" if items else "  no database of dbguard")


@db.command(short_help="Delete what nobody uses: templates, kept databases, what dead runs left, snapshots.")
def prune(
    everybody: Annotated[bool, typer.Option("--all", help="Also what belongs to other projects.")] = False,
    env: EnvOption = None,
    database: DatabaseOption = None,
    directory: DirectoryOption = None,
    file: FileOption = None,
) -> None:
    """Delete what nobody uses: templates, kept databases, what dead runs have left, the project's snapshots.

    Never a database that a living run uses, nor the one of `dbguard db up`.
    """
    from pytest_dbguard.databases.snapshots import delete_snapshots
    from pytest_dbguard.templates.inventory import prune as prune_server
    from pytest_dbguard.templates.marks import project_key

    root = project_root(directory)
    config = settings(root, file, env, database)
    project = None if everybody else project_key(root)
    output, freed = standard_output(), 0
    for known in known_servers(config, root):
        for item in prune_server(known.server, project):
            freed += item.size_bytes
            output.line(f"deleted {item.name} ({item.mark.kind}, {_megabytes(item.size_bytes)} MB)")
    for name, size_bytes in delete_snapshots(config, root, everybody=everybody):
        freed += size_bytes
        output.line(f"deleted {name} ({_megabytes(size_bytes)} MB)")
    output.line(f"freed {_megabytes(freed)} MB")


def _document(known: Known, items: list[Item]) -> dict[str, Any]:
    project = known.kept.project if known.kept is not None else None
    return {
        "url": known.shown,
        "kind": known.server.kind,
        "kept": known.kept is not None,
        "project": None if project is None else str(project),
        "databases": [_entry(item) for item in items],
    }


def _entry(item: Item) -> dict[str, Any]:
    return {
        "name": item.name,
        "kind": str(item.mark.kind),
        "size_bytes": item.size_bytes,
        "used": item.mark.used or None,
        "in_use": item.is_in_use,
        "project": item.mark.project or None,
        "run": item.mark.run or None,
        "test": item.mark.test or None,
    }


def _row(item: Item, root: Path) -> tuple[str, ...]:
    from pytest_dbguard.templates.marks import project_key

    mark = item.mark
    project = root.name if mark.project == project_key(root) else mark.project or "-"
    used = "now" if item.is_in_use else _age(datetime.now(UTC) - mark.used_at) if mark.used else "-"
    return item.name, str(mark.kind), _megabytes(item.size_bytes), used, project, mark.test or "-"


def _age(age: Any) -> str:
    seconds = max(0, int(age.total_seconds()))
    return next((f"{seconds // size} {unit} ago" for size, unit in _AGES if seconds >= size), "now")


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / _MB:.1f}"
