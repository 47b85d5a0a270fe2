"""`dbguard config`: each setting and where its value comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pytest_dbguard.cli.output import OutputFormat, standard_output
from pytest_dbguard.cli.project import DirectoryOption, FileOption, project_root
from pytest_dbguard.config.problems import raise_problems
from pytest_dbguard.core.errors import ConfigError

if TYPE_CHECKING:
    from pytest_dbguard.config.model import Config

FORMAT = 1
"""Version of the JSON. 1: "settings", each with value and source by dotted key."""

Row = tuple[str, Any, str]
"""Dotted key, value, and where it comes from."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def config(
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of [tool.dbguard] instead.")] = False,
    runtime: Annotated[
        bool, typer.Option("--runtime", help="Show the settings of pytest_dbguard.runtime instead.")
    ] = False,
    profile: Annotated[
        str | None, typer.Option(metavar="PROFILE", help="With --runtime: as in this profile, whatever is set.")
    ] = None,
    output_format: Annotated[
        OutputFormat, typer.Option(help="Text for people, JSON for programs.")
    ] = OutputFormat.TEXT,
    directory: DirectoryOption = None,
    file: FileOption = None,
) -> None:
    """Show each setting and where its value comes from: default, file, variable.

    The text is TOML: what is not set stands in a comment. What flags of pytest say is not known here. Passwords are
    hidden.
    """
    if profile is not None and not runtime:
        raise ConfigError("--profile: only the runtime has profiles", hint="add --runtime")
    if schema:
        print(json.dumps(_schema(), indent=2))
    elif runtime:
        from pytest_dbguard.cli.runtime_settings import examined

        rows, problems = examined(project_root(directory), file and file.resolve(), profile)
        _print(rows, output_format, spell=str)
        raise_problems(problems)
    else:
        from pytest_dbguard.config.load import load_config

        found = load_config(project_root(directory), file=file and file.resolve())
        _print(list(_settings(found)), output_format, spell=_key)


def _print(rows: list[Row], output_format: OutputFormat, *, spell: Callable[[str], str]) -> None:
    if output_format is OutputFormat.JSON:
        settings = {key: {"value": value, "source": source} for key, value, source in rows}
        print(json.dumps({"format": FORMAT, "settings": settings}, indent=2))
    else:
        _print_text(rows, spell)


def _schema() -> dict[str, Any]:
    from pytest_dbguard.config.schema import json_schema
    from pytest_dbguard.rules.registry import load_rules

    schema = json_schema({rule.name: rule.options_model for rule in load_rules()})
    if find_spec("pydantic_settings") is not None:
        from pytest_dbguard.runtime.settings.schema import runtime_schema

        schema["properties"]["runtime"] = runtime_schema()
    return schema


def _settings(config: Config) -> Iterator[Row]:
    """Yield key, value as JSON without passwords, and source of each setting; one for each nested table."""
    from pytest_dbguard.config.model import ENVIRONMENT_KEY, ONLY_AS_FLAG
    from pytest_dbguard.config.table import key_name

    sources = config.sources
    for field, value in config.model_dump(mode="json").items():
        if field == "envs":
            yield from ((f"env.{name}", _shown(table), sources[field]) for name, table in value.items())
        elif field == "per_path_ignores":
            yield from ((f"per-path-ignores.{glob}", words, sources[field]) for glob, words in value.items())
        elif field == "rules":
            yield from ((f"rules.{name}", _shown(table), sources[field]) for name, table in value.items())
        elif field == "env":
            yield ENVIRONMENT_KEY, _shown(value), sources[field]
        elif field not in ONLY_AS_FLAG:
            yield key_name(field), _shown(value), sources[field]


def _shown(value: Any) -> Any:
    """Return a value without passwords, and tables without what is not set."""
    from pytest_dbguard.config.redact import redact, redact_url

    match value:
        case str():
            return redact_url(value) if "://" in value else redact(value)
        case list():
            return [_shown(each) for each in value]
        case Mapping():
            return {key: _shown(each) for key, each in value.items() if each is not None}
        case _:
            return value


def _print_text(rows: list[Row], spell: Callable[[str], str]) -> None:
    output = standard_output()
    settings = [f"# {key} is not set" if value is None else f"{spell(key)} = {_toml(value)}" for key, value, _ in rows]
    # One long value must not push all sources out of sight.
    column = min(max(map(len, settings)), output.width // 2)
    for setting, (_, _, source) in zip(settings, rows, strict=True):
        output.line(f"{setting:<{column}}  {output.style.paint(f'# {source}', 'dim')}")


def _toml(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{_key_part(key)} = {_toml(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _key(dotted: str) -> str:
    """Return a key such as `env.test`, its last part quoted where TOML asks for it."""
    table, dot, name = dotted.partition(".")
    return table + dot + (_key_part(name) if name else "")


def _key_part(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else json.dumps(name, ensure_ascii=False)
