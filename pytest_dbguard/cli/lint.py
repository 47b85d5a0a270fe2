"""`dbguard lint`: judge SQL in sources, migrations, models and saved runs, without running anything."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pytest_dbguard.cli.project import DirectoryOption, FileOption, project_root


class FailOn(StrEnum):
    """The least severity that fails."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NEVER = "never"


class DialectName(StrEnum):
    """Whose grammar texts are read by."""

    POSTGRESQL = "postgresql"
    SQLITE = "sqlite"
    MYSQL = "mysql"


TargetsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TARGET]...",
        help="Python and SQL files, directories, - for SQL on standard input, models as module:attribute, a saved run,"
        " an export of pg_stat_statements. Default: the setting `lint-targets`, else this directory.",
    ),
]
DatabaseOption = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="Judge by the schema of this database.")
]
SchemaOption = Annotated[
    str | None,
    typer.Option("--schema", metavar="MODELS", help='By that of models, as module:attribute; "none" for none.'),
]
DialectOption = Annotated[
    DialectName | None, typer.Option("--dialect", help="Whose SQL it is. Default: what schema or texts tell.")
]
SelectOption = Annotated[list[str] | None, typer.Option("--select", metavar="RULES", help="Rules to run.")]
IgnoreOption = Annotated[list[str] | None, typer.Option("--ignore", metavar="RULES", help="Rules to leave out.")]
PreviewOption = Annotated[bool, typer.Option("--preview", help="Let rules in preview weigh what they say.")]
FailOnOption = Annotated[
    FailOn | None, typer.Option("--fail-on", help="Least severity of findings that fail. Default: warning.")
]
ReportsOption = Annotated[
    list[str] | None,
    typer.Option("--report", metavar="TYPE[:DEST]", help="term, concise, json, ...; several times for several."),
]
StatisticsOption = Annotated[
    str | None, typer.Option("--statistics", metavar="FILE", help="Production's statistics, for plans.")
]
LabOption = Annotated[
    bool | None, typer.Option("--lab/--no-lab", help="Whether statements are planned where the schema is known.")
]
BaselineOption = Annotated[
    Path | None, typer.Option("--baseline", metavar="FILE", help="What is accepted: it does not fail.")
]
UpdateBaselineOption = Annotated[
    bool, typer.Option("--update-baseline", help="Accept what is found now, in the file of --baseline.")
]
NoCacheOption = Annotated[bool, typer.Option("--no-cache", help="Judge all anew, and keep nothing.")]
ExitZeroOption = Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 whatever is found.")]
VerboseOption = Annotated[bool, typer.Option("-v", "--verbose", help="Show notes and what is known in full.")]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="A line for each finding.")]
EnvOption = Annotated[str | None, typer.Option("--env", metavar="NAME", help="The environment to use.")]


def lint(
    targets: TargetsArgument = None,
    database: DatabaseOption = None,
    schema: SchemaOption = None,
    dialect: DialectOption = None,
    select: SelectOption = None,
    ignore: IgnoreOption = None,
    preview: PreviewOption = False,
    fail_on: FailOnOption = None,
    report: ReportsOption = None,
    statistics: StatisticsOption = None,
    lab: LabOption = None,
    baseline: BaselineOption = None,
    update_baseline: UpdateBaselineOption = False,
    no_cache: NoCacheOption = False,
    exit_zero: ExitZeroOption = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    env: EnvOption = None,
    directory: DirectoryOption = None,
    file: FileOption = None,
) -> int:
    """Judge SQL in sources, migrations, models and saved runs, without running anything.

    Read are the strings that Python code executes, SQL files, and what migrations do; not what SQLAlchemy's expressions
    compile to: for those, save a run of the tests with --dbguard-save-workload and judge that. With a schema the rules
    about indexes and plans run as well. Comments silence findings: # dbguard: ignore[DBG403], in SQL -- dbguard:
    ignore[DBG403].

    Exit status 0 when nothing fails, 1 for findings that do, 2 for wrong use.
    """
    from pytest_dbguard.cli.lint_command import LintCommand, run
    from pytest_dbguard.config.load import load_config

    root = project_root(directory)
    rules = {"select": select, "ignore": ignore, "preview": preview or None, "fail_on": fail_on and str(fail_on)}
    plans = {"statistics": _absolute(statistics), "lab": None if lab is None else "auto" if lab else "off"}
    config_file = file and file.resolve()
    command = LintCommand(
        words=tuple(targets or ()),
        root=root,
        config=load_config(root, file=config_file, flags={**rules, **plans, "env": env}),
        config_file=config_file,
        database=database,
        schema=schema,
        dialect=dialect and str(dialect),
        reports=tuple(report or ["term"]),
        baseline=baseline and baseline.absolute(),
        updates_baseline=update_baseline,
        uses_cache=not no_cache,
        exit_zero=exit_zero,
        verbosity=1 if verbose else -1 if quiet else 0,
    )
    return run(command, sys.argv)


def _absolute(file: str | None) -> str | None:
    """Return a path that does not depend on where the project is; that of the settings is relative to its root."""
    return None if file is None else str((Path.cwd() / file).resolve())
