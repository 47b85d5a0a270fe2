"""`dbguard schema`: show tables, keys and indexes as planning sees them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pytest_dbguard.cli.output import OutputFormat, standard_output
from pytest_dbguard.cli.project import DirectoryOption, FileOption, project_root

if TYPE_CHECKING:
    from pytest_dbguard.cli.schema_sources import Found

FORMAT = 1
"""Version of the JSON. 1: "id", the same for the same schema; "rows" by table; "left_out", tables that
this database cannot make; "catalog", defaults left out."""


def schema(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[TARGET]",
            help="A URL, a SQLite file, or models as module:attribute. Default: what the settings build.",
        ),
    ] = None,
    output_format: Annotated[
        OutputFormat, typer.Option("--format", help="Text for people, JSON for programs.")
    ] = OutputFormat.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    env: Annotated[str | None, typer.Option("--env", metavar="NAME", help="The environment to use.")] = None,
    directory: DirectoryOption = None,
    file: FileOption = None,
) -> None:
    """Show tables, keys and indexes of a database or of models, with all that decides what an index serves.

    Without a target, of what `metadata` or `migrations` in [tool.dbguard] build. Nothing is changed in a database.
    Numbers of rows are those that the database's statistics tell, or the project's file or [tool.dbguard.scale].
    """
    from pytest_dbguard.cli.schema_sources import read_schema
    from pytest_dbguard.config.load import load_config

    root = project_root(directory)
    config = load_config(root, file=file and file.resolve(), flags={} if env is None else {"env": env})
    found = read_schema(target, config, root)
    if as_json or output_format is OutputFormat.JSON:
        print(json.dumps(_document(found), indent=2, ensure_ascii=False))
        return
    _print_text(found)


def _print_text(found: Found) -> None:
    from pytest_dbguard.schema.render import catalog_lines

    output = standard_output()
    shown = {key: f"{number:,.0f} {'row' if number == 1 else 'rows'}" for key, number in found.rows.items()}
    for line in catalog_lines(found.catalog, width=output.width, rows=shown, paint=output.style.paint):
        output.line(line)
    if found.left_out:
        output.line()
        output.paragraph(
            f"left out, since this database cannot make them: {', '.join(found.left_out)}."
            " The setting `database` says which one is meant.",
        )


def _document(found: Found) -> dict[str, Any]:
    from pytest_dbguard.schema.document import catalog_id, catalog_to_json

    return {
        "format": FORMAT,
        "id": catalog_id(found.catalog),
        "rows": [
            {"schema": schema, "table": table, "rows": number} for (schema, table), number in sorted(found.rows.items())
        ],
        "left_out": list(found.left_out),
        "catalog": json.loads(catalog_to_json(found.catalog)),
    }
