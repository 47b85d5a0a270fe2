"""Builds the `dbguard` command line from the list of commands; maps errors to exit statuses."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from rich.console import Console

from pytest_dbguard.core.errors import DbguardError

OK, FINDINGS, WRONG_USE = 0, 1, 2
"""Exit statuses: clean, something was found, wrong use or a fault of dbguard's own."""

COMMANDS: dict[str, str] = {
    "explain": "pytest_dbguard.cli.explain:explain",
    "rules": "pytest_dbguard.cli.rules:rules",
    "doctor": "pytest_dbguard.cli.doctor:doctor",
    "config": "pytest_dbguard.cli.config:config",
    "version": "pytest_dbguard.cli.version:version",
}


def build() -> typer.Typer:
    """Return the application with all commands."""
    app = typer.Typer(
        name="dbguard",
        help="Find N+1 loads and statements in loops: explains rules, checks the installation and configuration.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for name, spec in COMMANDS.items():
        app.command(name)(_load(spec))
    return app


def main() -> None:
    """Run the command line and exit: 0 clean, 1 something found, 2 wrong use or an own fault."""
    try:
        build()(standalone_mode=True)
    except DbguardError as error:
        tell(f"dbguard: {error}")
        sys.exit(WRONG_USE)


def tell(message: str) -> None:
    """Print a message on standard error, without markup, unwrapped."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(message, markup=False)


def _load(spec: str) -> Callable[..., Any]:
    module, _, attribute = spec.partition(":")
    command: Callable[..., Any] = getattr(import_module(module), attribute)
    return command
