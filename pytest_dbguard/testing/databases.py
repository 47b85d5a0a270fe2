"""The databases of one process that runs tests: a main database, and more where tests ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dbguard.core.errors import DatabaseError, did_you_mean
from pytest_dbguard.databases.base import Server
from pytest_dbguard.resets.base import Outcome
from pytest_dbguard.templates.base import Recipe, Templates
from pytest_dbguard.templates.runs import Run
from pytest_dbguard.templates.steps import imported
from pytest_dbguard.testing.guarded_database import GuardedDatabase

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from pytest_dbguard.config.model import Config

MAIN = "main"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was found and done at the end of a test in one of its databases."""

    database: str
    outcome: Outcome


class Databases:
    """Makes databases for the tests of this process and cleans all of them after each test."""

    def __init__(self, server: Server, run: Run, templates: Templates, config: Config, root: Path) -> None:
        self.server = server
        self._run = run
        self._templates = templates
        self._config = config
        self._root = root
        self._guarded: dict[str, GuardedDatabase] = {}
        self._recipes: dict[str, Recipe] = {}
        self._owner: tuple[str, bool] = ("the start of the run", True)

    @property
    def main(self) -> GuardedDatabase:
        """The database of the fixtures `dbguard_engine`, `dbguard_session` and so on."""
        return self._guarded[MAIN]

    @property
    def templates_built(self) -> bool:
        """Whether a template was made that the next run may start from."""
        return any(guarded.template.was_built for guarded in self._guarded.values())

    def named(self, label: str) -> GuardedDatabase:
        """Return a database that is open.

        Raises:
            DatabaseError: When none of that name is.
        """
        if label not in self._guarded:
            raise DatabaseError(f"no database {label!r} is open", hint=did_you_mean(label, self._guarded))
        return self._guarded[label]

    def open(self, label: str, recipe: Recipe) -> GuardedDatabase:
        """Return the database of that label, made from the recipe when it is asked for first.

        Raises:
            DatabaseError: When it cannot be made, or was made from another recipe.
        """
        if label not in self._guarded:
            template = self._templates.ready(recipe)
            name = f"dbguard_{self._run.id}_{self._run.worker}_{label}"
            guarded = GuardedDatabase(template, name, self._config.reset)
            guarded.enter(self._owner[0], is_wide=self._owner[1])
            self._guarded[label], self._recipes[label] = guarded, recipe
        elif self._recipes[label] != recipe:
            raise DatabaseError(
                f"the database {label!r} was made from other tables, migrations or seeds before",
                hint="give this one another name",
            )
        return self._guarded[label]

    def enter(self, owner: str, *, is_wide: bool) -> None:
        """Say which test or fixture runs from now on."""
        self._owner = (owner, is_wide)
        for guarded in self._guarded.values():
            guarded.enter(owner, is_wide=is_wide)

    def begin(self, reset: str | None) -> None:
        """Prepare all databases for a test."""
        for guarded in self._guarded.values():
            guarded.begin(reset)

    def end(self, reset: str | None, *, is_fresh: bool, keeps_data: bool) -> Iterator[Cleaned]:
        """Clean all databases up after a test."""
        for label, guarded in self._guarded.items():
            yield Cleaned(label, guarded.end(reset, is_fresh=is_fresh, keeps_data=keeps_data))

    def cleans(self, reset: str | None) -> bool:
        """Tell whether nothing of a test is left after `end`, except where it is to be kept."""
        return (reset or self._config.reset) != "none"

    def clean(self) -> Iterator[Cleaned]:
        """Put all databases into their clean state, before or after a test."""
        for label, guarded in self._guarded.items():
            yield Cleaned(label, guarded.cleaner.clean())

    def is_clean(self) -> bool:
        """Tell whether nothing differs from the clean state anywhere, nor will be rolled back."""
        return not any(guarded.is_rolled_back or guarded.cleaner.is_dirty() for guarded in self._guarded.values())

    def keep(self, owner: str) -> None:
        """Make what is there now part of the clean state until `forget`."""
        for guarded in self._guarded.values():
            guarded.cleaner.keep(owner)

    def forget(self, owner: str) -> None:
        """Let what a fixture of wider scope wrote be removed with the next cleaning."""
        for guarded in self._guarded.values():
            guarded.cleaner.forget(owner)

    def set_aside(self, test: str) -> list[str]:
        """Keep all databases as a failed test left them; return their URLs."""
        return [guarded.set_aside(test) for guarded in self._guarded.values()]

    def close(self) -> None:
        """Delete all databases of this process."""
        for guarded in self._guarded.values():
            guarded.close()
        self._guarded.clear()
        self._templates.close()

    def bind_configured(self) -> None:
        """Lead the engines of `[tool.dbguard.engines]` to the main database.

        Raises:
            DatabaseError: When one of them cannot be found.
        """
        for spec, role in self._config.engines.items():
            self.main.router.bind(_engine_of(spec, self._root, self._config.sources["engines"]), role)


def _engine_of(spec: str, root: Path, source: str) -> Engine | AsyncEngine:
    found = imported(spec, root, f"{source} [tool.dbguard.engines]")
    # what makes an engine when it is called is called, such as `get_engine`
    engine: Engine | AsyncEngine = found() if callable(found) and not hasattr(found, "dispose") else found
    return engine
