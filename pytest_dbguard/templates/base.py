"""What a template is made from, and what every template can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pytest_dbguard.databases.base import Database, Server

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.engine import Dialect


class Step(Protocol):
    """One thing that builds a part of a template: tables, migrations or seed data."""

    @property
    def name(self) -> str:
        """Return what messages call it, such as "alembic.ini" or "dbguard_seed of tests/conftest.py"."""
        ...

    def fingerprint(self, dialect: Dialect) -> bytes:
        """Return bytes that change when what the step builds changes."""
        ...

    def run(self, engine: Engine) -> None:
        """Do it, on an engine of the new database; what it does is committed."""
        ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that builds a database, in order. Equal keys mean equal databases."""

    steps: tuple[Step, ...] = ()


class Template(Protocol):
    """A database that is never changed, only copied."""

    @property
    def key(self) -> str:
        """Return the hash of all that built it."""
        ...

    @property
    def was_built(self) -> bool:
        """Whether it was built now; False when it was found."""
        ...

    def copy(self, name: str) -> Database:
        """Return a new database with what the template holds."""
        ...


class PostgresCopies(Protocol):
    """What a PostgreSQL template can do besides: everything about databases on its server, by name."""

    @property
    def server(self) -> Server:
        """Return the server that it is on."""
        ...

    def create(self, name: str) -> None:
        """Make a database from the template."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Rename a database that nobody is connected to, ending the sessions of whoever is."""
        ...

    def drop(self, name: str) -> None:
        """Delete a database, with the sessions on it; nothing when there is none."""
        ...

    def mark_kept(self, name: str, test: str) -> None:
        """Have a database outlive the run, as what a test has left."""
        ...


class Templates(Protocol):
    """The templates of one server."""

    def ready(self, recipe: Recipe) -> Template:
        """Return the template of a recipe, built once whoever asks first and however many ask at once.

        Raises:
            DatabaseError: When a step fails, naming it.
        """
        ...

    def close(self) -> None:
        """Let go of the templates; they stay for whoever comes next."""
        ...


Finish = Callable[[Any], None]
"""Called with a driver connection to a template that has been built, before it is marked as ready."""

__all__ = ["Database", "Finish", "PostgresCopies", "Recipe", "Server", "Step", "Template", "Templates"]
