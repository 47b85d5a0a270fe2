"""The `dbguard` command line: the list of commands, and what becomes of their errors."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from pytest_dbguard.core.errors import ConfigError, DbguardError, did_you_mean

OK: Final = 0
FOUND: Final = 1
WRONG: Final = 2
"""Exit statuses: clean; findings or problems; wrong use or a fault of dbguard's own."""
INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command stands ("module:function") and what `dbguard --help` says about it."""

    spec: str
    summary: str


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "explain": Command("pytest_dbguard.cli.explain:explain", "Tell what a rule does, why, and what to do instead."),
        "rules": Command("pytest_dbguard.cli.rules:rules", "List the rules."),
        "doctor": Command(
            "pytest_dbguard.cli.doctor:doctor", "Check what works here, and tell what to do about the rest."
        ),
        "config": Command("pytest_dbguard.cli.config:config", "Show each setting and where its value comes from."),
        "baseline": Command(
            "pytest_dbguard.cli.baseline:baseline", "Show, update or prune the file of what is accepted."
        ),
        "db": Command(
            "pytest_dbguard.cli.db:db", "Start a database to work with; list and delete what tests have left."
        ),
        "schema": Command(
            "pytest_dbguard.cli.schema:schema", "Show tables, keys and indexes of a database or of models."
        ),
        "stats": Command(
            "pytest_dbguard.cli.stats:stats", "Export the planner's statistics of production; check the file."
        ),
        "lint": Command("pytest_dbguard.cli.lint:lint", "Judge SQL in sources, migrations, models and saved runs."),
        "advise": Command("pytest_dbguard.cli.advise:advise", "Advise the smallest set of indexes for a workload."),
        "version": Command("pytest_dbguard.cli.version:version", "Show the versions that a bug report needs."),
    }
)


@dataclass(slots=True)
class Invocation:
    """What the options before the command ask for."""

    traceback: bool = False


class Commands(TyperGroup):
    """The commands, each imported only when it runs: help must not wait for any of them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import a command; raise ConfigError that names the nearest one when there is none."""
        if cmd_name not in COMMANDS:
            raise ConfigError(f"unknown command {cmd_name!r}", hint=did_you_mean(cmd_name, COMMANDS))
        module, _, attribute = COMMANDS[cmd_name].spec.partition(":")
        function = getattr(import_module(module), attribute)
        if isinstance(function, typer.Typer):
            return typer.main.get_group(function)
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(cmd_name)(function)
        return typer.main.get_command(app)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list for `--help` from the registry."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in COMMANDS.items()])


def _options(
    ctx: typer.Context,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where a fault of dbguard's own came from.")
    ] = False,
) -> None:
    """Explain the rules of pytest-dbguard, and check its installation and configuration.

    To record and judge queries, run pytest --dbguard.
    """
    ctx.obj.traceback = traceback


def main() -> None:
    """Run the command line and exit: 0 clean, 1 findings or problems, 2 wrong use or own fault."""
    # A terminal that lacks a character must not cost the whole message.
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    try:
        status = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has enough. Python flushes once more at exit: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = OK
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Run a command and return the exit status; errors become one message on standard error."""
    invocation = Invocation()
    # Not by the command's own `main`, which ends the process its own way.
    command = _command_line()
    try:
        with command.make_context("dbguard", list(arguments) or ["--help"], obj=invocation) as context:
            status = command.invoke(context)
    except DbguardError as error:
        return _tell(error.message, error.hint)
    except typer.Exit as end:
        return end.exit_code if arguments else WRONG
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  whatever goes wrong is told in one message
        return _tell_other(error, with_traceback=invocation.traceback)
    return status if isinstance(status, int) else OK


def _command_line() -> Any:
    app = typer.Typer(cls=Commands, add_completion=False, rich_markup_mode=None)
    app.callback()(_options)
    return typer.main.get_command(app)


def _tell_other(error: Exception, *, with_traceback: bool) -> int:
    """Tell a wrong use that the option parser found, or else a fault of dbguard's own."""
    # By its methods, not by its class: some versions of typer carry a click of their own.
    format_message = getattr(error, "format_message", None)
    if format_message is not None:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "dbguard"
        return _tell(_uncapitalised(format_message().rstrip(".")), f"see: {path} --help")
    if with_traceback:
        traceback.print_exception(error)
    return _tell(f"internal error: {type(error).__name__}: {error}", "dbguard --traceback COMMAND shows where")


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]


def _tell(message: str, hint: str | None) -> int:
    print(f"dbguard: {message}", *([f"  {hint}"] if hint else []), sep="\n", file=sys.stderr)
    return WRONG
