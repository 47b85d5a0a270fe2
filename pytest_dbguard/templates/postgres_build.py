"""Builds a PostgreSQL template: runs all steps in a new database, and gives it its name when it is whole."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.templates.base import Finish, Recipe
from pytest_dbguard.templates.maintenance import Maintenance
from pytest_dbguard.templates.marks import Kind, Mark
from pytest_dbguard.templates.step_errors import run_step

# Hint bits and statistics are set once here instead of in every copy. Bits say that a transaction has committed only
# when that is on disk, so that VACUUM sets none on servers that write later: a commit that waits brings it there.
# For a role that is no superuser VACUUM leaves the catalogs out, with a warning that nobody sees.
_FLUSH = "SELECT pg_catalog.pg_logical_emit_message(true, 'dbguard', '')"
_TIDY_UP = ("SET synchronous_commit = on", _FLUSH, "VACUUM (ANALYZE)")


@dataclass(frozen=True, slots=True)
class Build:
    """All that builds one template."""

    maintenance: Maintenance
    recipe: Recipe
    mark: Mark
    finish: Finish | None

    def build(self, name: str) -> None:
        """Make the template of that name, which nobody has made yet.

        It has another name until it is whole, so that whoever sees the name sees a template that is ready.

        Raises:
            DatabaseError: When a step fails, naming it. Nothing is left behind then.
        """
        # names the run, so that it is known whose it was should this process end between the next two statements
        new = f"dbguard_b_{self.mark.key[:16]}_{self.mark.run}"
        self.maintenance.drop(new)  # by a process of this run that was killed
        self.maintenance.run("CREATE DATABASE {}", new)
        try:
            self.maintenance.comment(new, replace(self.mark, kind=Kind.BUILD))
            self._fill(new)
            self._open_to_copying(new, name)
        except BaseException:
            with suppress(DatabaseError):
                self.maintenance.drop_unseen(new)
            raise

    def _fill(self, new: str) -> None:
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        engine = create_engine(self.maintenance.server.url.set(database=new), poolclass=NullPool)
        for step in self.recipe.steps:
            run_step(step, engine)
        with self.maintenance.told(), self.maintenance.connect(new) as connection:
            if self.finish is not None:
                self.finish(connection)
            for statement in _TIDY_UP:
                connection.execute(statement)

    def _open_to_copying(self, new: str, name: str) -> None:
        self.maintenance.end_sessions(new)
        self.maintenance.run("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true", new)
        self.maintenance.comment(new, replace(self.mark, kind=Kind.TEMPLATE, run=""))
        # last: the name is the mark that it is ready
        self.maintenance.run("ALTER DATABASE {} RENAME TO {}", new, name)
