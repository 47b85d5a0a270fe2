"""What is compared: one row for each way to give a test clean data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

STRATEGIES = ("committed", "rollback", "clone", "truncate", "none")
OURS = "pytest-dbguard"
REFERENCE = "committed"


@dataclass(frozen=True, slots=True)
class Row:
    """One way; `rival` is the file in resets_project/rivals that becomes the project's conftest.py."""

    name: str
    rival: str
    database: str = "PostgreSQL"
    arguments: tuple[str, ...] = ()
    distribution: str | None = None
    """What has to be installed; None where SQLAlchemy and the database are enough."""

    plugins: tuple[str, ...] = ()
    server_fixture: str | None = None
    """Fixture of the whole session that starts the rival's own server."""

    share: float = 1.0
    """Part of the tests to run: slow ways show the same with fewer."""

    is_reference: bool = False

    def missing(self) -> str | None:
        """Return what has to be installed for it, None when all is there."""
        try:
            return None if self.distribution is None or version(self.distribution) else self.distribution
        except PackageNotFoundError:
            return self.distribution


def ours(kind: str, strategy: str = REFERENCE, *, name: str | None = None, share: float = 1.0) -> Row:
    """Return the row of dbguard with a provider and a reset."""
    return Row(
        name or f"dbguard {strategy}",
        "dbguard",
        "SQLite" if kind == "sqlite" else "PostgreSQL",
        ("--dbguard-database", kind, "--dbguard-reset", strategy),
        OURS,
        ("pytest_dbguard.plugin",),
        share=share,
        is_reference=strategy == REFERENCE and name is None,
    )


_SLOW = 0.2
NOTHING = Row("nothing (pytest itself)", "nothing")
SAVEPOINT = Row("savepoint rollback", "savepoint")
PYTEST_POSTGRESQL = Row(
    "pytest-postgresql",
    "pytest_postgresql_noproc",
    distribution="pytest-postgresql",
    plugins=("pytest_postgresql.plugin",),
    share=_SLOW,
)
PYTEST_POSTGRESQL_PROC = Row(
    "pytest-postgresql, own server",
    "pytest_postgresql_proc",
    distribution="pytest-postgresql",
    plugins=("pytest_postgresql.plugin",),
    server_fixture="server",
)
PY_PGLITE = Row(
    "py-pglite",
    "py_pglite",
    distribution="py-pglite",
    plugins=("py_pglite.pytest_plugin",),
    server_fixture="pglite_sqlalchemy_manager",
    share=_SLOW,
)

PER_TEST: dict[str, tuple[Row, ...]] = {
    "PostgreSQL": (
        NOTHING,
        *(ours("postgres-embedded", way, share=_SLOW if way in ("clone", "truncate") else 1.0) for way in STRATEGIES),
        SAVEPOINT,
        Row("DELETE all", "delete_all", share=_SLOW),
        Row("TRUNCATE all", "truncate_all", share=_SLOW),
        Row("clone of a template", "clone", share=_SLOW),
        Row("create_all, drop_all", "drop_create", share=_SLOW),
        PYTEST_POSTGRESQL,
        PY_PGLITE,
    ),
    "SQLite": (
        Row("nothing (pytest itself)", "nothing", "SQLite"),
        *(ours("sqlite", way) for way in STRATEGIES),
        Row("savepoint rollback", "savepoint", "SQLite"),
        Row("DELETE all", "delete_all", "SQLite"),
        Row("new engine, create_all", "new_engine", "SQLite", share=_SLOW),
        Row("create_all, drop_all", "drop_create", "SQLite", share=_SLOW),
        Row("copy of a file", "file_copy", "SQLite"),
    ),
}
FIRST_TEST: tuple[Row, ...] = (
    ours("sqlite", name="dbguard sqlite"),
    ours("postgres-embedded", name="dbguard postgres-embedded"),
    ours("postgres-local", name="dbguard postgres-local"),
    ours("postgres-url", name="dbguard postgres-url"),
    ours("postgres-container", name="dbguard postgres-container"),
    PYTEST_POSTGRESQL_PROC,
    PY_PGLITE,
    Row("testcontainers", "testcontainers_postgres", distribution="testcontainers", server_fixture="server"),
)
SUITE: tuple[Row, ...] = (
    ours("postgres-embedded"),
    ours("postgres-embedded", "rollback"),
    SAVEPOINT,
    PYTEST_POSTGRESQL,
    PYTEST_POSTGRESQL_PROC,
)


def wanted(rows: Iterable[Row], only: list[str] | None) -> list[Row]:
    """Return the rows whose name contains one of `only`, what all are compared with among them."""
    return [row for row in rows if not only or row.is_reference or any(word in row.name for word in only)]


def kind_of(row: Row) -> str | None:
    """Return the provider of a row of ours."""
    return row.arguments[1] if row.rival == "dbguard" else None
