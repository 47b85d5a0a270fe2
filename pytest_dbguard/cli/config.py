"""`dbguard config`: each value of the configuration and where it came from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer


def config(
    schema: Annotated[bool, typer.Option("--schema", help="print the JSON schema of [tool.dbguard] instead")] = False,
    directory: Annotated[Path, typer.Option(help="the project's directory")] = Path(),
) -> None:
    """Print the configuration that holds here: each value, and the file, variable or default it comes from."""
    from pytest_dbguard.config.load import load_config
    from pytest_dbguard.config.model import Config

    if schema:
        typer.echo(json.dumps(Config.model_json_schema(), indent=2))
        return
    found = load_config(directory, environ=os.environ)
    sources = found.sources
    for name in type(found).model_fields:
        key = name.replace("_", "-")
        value = getattr(found, name)
        if name == "envs":
            key, value = "env (tables)", {env: {"database": table.database} for env, table in found.envs.items()}
        shown = json.dumps(list(value) if isinstance(value, tuple) else value)
        typer.echo(f"{key:<16} {shown:<28} {sources[name]}".rstrip())
