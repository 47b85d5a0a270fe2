"""Makes the best lab that a server and our rights on it allow, rung by rung."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pytest_dbguard.databases.base import Server
from pytest_dbguard.planning.lab.ballast import ballast_pages, fill
from pytest_dbguard.planning.lab.base import Lab, LabDescription, LabError, Rung
from pytest_dbguard.planning.lab.forged_height import height_is_believed
from pytest_dbguard.planning.lab.forging import Forgery, layout_of
from pytest_dbguard.planning.lab.lab_database import LabDatabase, is_superuser
from pytest_dbguard.planning.lab.lab_errors import errors_told
from pytest_dbguard.planning.lab.lab_servers import EMBEDDED, LOCAL, Place
from pytest_dbguard.planning.lab.owner_lab import OwnerLab
from pytest_dbguard.planning.lab.postgres_lab import ForgedLab
from pytest_dbguard.planning.lab.postgres_statistics import inject
from pytest_dbguard.planning.lab.relation_files import LocalFiles, RelationFiles, ServerFiles
from pytest_dbguard.planning.lab.relation_sizes import relation_sizes
from pytest_dbguard.planning.lab.schema_copy import copy_schema, rows_of
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog, Collation, Dialect

if TYPE_CHECKING:
    from psycopg import Connection

_RESTORE_SINCE: Final = 18
_PAGE: Final = 8192
_MADE: Final = MappingProxyType(
    {
        Rung.FORGED: "forged files",
        Rung.SPARSE: "files with holes",
        Rung.BALLAST: "real pages",
        Rung.DENSITY: "dense pages",
    }
)


@dataclass(slots=True)
class Ladder:
    """One attempt to make a lab on one server.

    Attributes:
        place: The server.
        catalog: The schema.
        statistics: Completed.
        ballast_mb: Megabytes that may be written to somebody else's server.
        skipped: Rungs that were not taken, each with its reason.
    """

    place: Place
    catalog: Catalog
    statistics: Statistics
    ballast_mb: int
    skipped: list[str] = field(default_factory=list)

    def climb(self) -> Lab:
        """Make the lab.

        Raises:
            LabError: When no rung holds, saying why.
        """
        with errors_told():
            server = self.place.server()
            rungs = self._rungs(server)
        for rung in rungs:
            with errors_told():
                # a new one for each: nobody knows what a rung that broke has left in its files
                database = LabDatabase(server, _collation(self.catalog, self.statistics), self.place.keeper)
            try:
                with errors_told():
                    return self._made(database, rung)
            except LabError as error:
                self.skipped.append(f"{rung}: {error}")
                database.close()
            except BaseException:
                database.close()
                raise
        raise LabError(self.skipped.pop().partition(": ")[2])

    def _rungs(self, server: Server) -> list[Rung]:
        """Return what our rights on a server allow, the best first."""
        owns_all = is_superuser(server)
        if not owns_all and int(server.version.partition(".")[0]) < _RESTORE_SINCE:
            told = f"on PostgreSQL {server.version} only a superuser can tell the planner how large tables are"
            raise LabError(told)
        weak = [Rung.BALLAST, Rung.DENSITY] if self.ballast_mb > 0 else [Rung.DENSITY]
        if owns_all and self.place.may_forge:
            return [Rung.FORGED, Rung.SPARSE, *weak]
        self.skipped.append(f"{Rung.FORGED}: {self.place.no_forging or 'our role is no superuser'}")
        return weak

    def _made(self, database: LabDatabase, rung: Rung) -> Lab:
        major, owns_all = database.major, is_superuser(database.server)
        with database.connect() as connection:
            problems = [line for line in (database.problem, self._other_version(database.server.version)) if line]
            problems += copy_schema(connection, self.catalog)
            problems += inject(rows_of(connection), self.catalog, self.statistics, major=major, is_superuser=owns_all)
        description = self._description(database, rung, tuple(problems))
        make = {
            Rung.FORGED: self._forged,
            Rung.SPARSE: self._sparse,
            Rung.BALLAST: self._ballast,
            Rung.DENSITY: self._density,
        }
        return make[rung](database, description)

    def _other_version(self, planner: str) -> str:
        """Return what to tell where plans are made by another major version than the one that runs the statements."""
        asked, who = self.statistics.version, "production's"
        if self.statistics.dialect != Dialect.POSTGRESQL or not asked:
            asked, who = self.catalog.version, "the tests'"
        if not asked or asked.partition(".")[0] == planner.partition(".")[0]:
            return ""
        return f"plans are those of PostgreSQL {planner}; {who} database is {asked}"

    def _description(self, database: LabDatabase, rung: Rung, problems: tuple[str, ...]) -> LabDescription:
        version = database.server.version
        reason = f"{_MADE[rung]} on {self.place.name} {version}, {self.place.why}"
        if self.place.name not in (EMBEDDED, LOCAL, database.server.kind):
            reason = f"{_MADE[rung]} on {self.place.name} ({database.server.kind} {version}), {self.place.why}"
        return LabDescription("postgresql", version, rung, reason, tuple(self.skipped), problems)

    def _forged(self, database: LabDatabase, description: LabDescription) -> Lab:
        lab = self._with_files(database, description, heights=True)
        with database.connect() as connection:
            if height_is_believed(connection, self.catalog, lab.sizes):
                return lab
        lab.release()
        raise LabError("the server does not read the heights that were forged")

    def _sparse(self, database: LabDatabase, description: LabDescription) -> Lab:
        return self._with_files(database, description, heights=False)

    def _with_files(self, database: LabDatabase, description: LabDescription, *, heights: bool) -> ForgedLab:
        with database.connect() as connection:
            layout = layout_of(connection)
            files = _files(database, connection)
        if layout.page_size != _PAGE:
            raise LabError(f"its pages have {layout.page_size} bytes, not {_PAGE}")
        forgery = Forgery(layout, heights=heights)
        return ForgedLab(database, self.catalog, self.statistics, description, forgery, files)

    def _ballast(self, database: LabDatabase, description: LabDescription) -> Lab:
        sizes = relation_sizes(self.catalog, self.statistics, major=database.major)
        wanted = {(size.schema, size.name): size.pages for size in sizes if not size.method}
        pages = ballast_pages(wanted, (self.ballast_mb << 20) // _PAGE)
        return self._filled(database, description, pages)

    def _density(self, database: LabDatabase, description: LabDescription) -> Lab:
        tables = {(table.schema, table.name): 1 for table in self.catalog.tables if table.holds_rows}
        return self._filled(database, description, tables)

    def _filled(self, database: LabDatabase, description: LabDescription, pages: dict[tuple[str, str], int]) -> Lab:
        with database.connect() as connection:
            fill(connection, self.catalog.tables, pages)
            real = _real_pages(connection)
        kept = {name: real[name] for name in pages if real.get(name)}
        return OwnerLab(database, self.catalog, self.statistics, description, kept)


def _files(database: LabDatabase, connection: Connection) -> Callable[[Connection], RelationFiles]:
    """Return what opens the database's files: from here where the server is ours and on this machine."""
    row: Any = connection.execute(
        "SELECT oid::int8, current_setting('data_directory') FROM pg_catalog.pg_database "
        "WHERE datname = current_database()"
    ).fetchone()
    number, data = int(row[0]), Path(row[1])
    server = database.server
    if server.is_ours and server.kind in (EMBEDDED, LOCAL) and os.access(data / "base" / str(number), os.W_OK):
        return lambda _connection: LocalFiles(data, number)
    return lambda connection: ServerFiles(connection, number)


def _real_pages(connection: Connection) -> dict[tuple[str, str], int]:
    rows = connection.execute(
        "SELECT n.nspname, c.relname, pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
    )
    return {(place, name): int(pages) for place, name, pages in rows}


def _collation(catalog: Catalog, statistics: Statistics) -> Collation:
    """Return how text is to sort: as production says, else as the tests' database does."""
    told = statistics.collation
    return told if told.provider or told.locale else catalog.collation
