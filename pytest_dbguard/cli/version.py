"""`dbguard version`: which dbguard this is."""

from __future__ import annotations

import typer


def version() -> None:
    """Print the version."""
    from pytest_dbguard import __version__

    typer.echo(f"pytest-dbguard {__version__}")
