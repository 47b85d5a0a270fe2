"""One session in which PostgreSQL plans statements without running them, with the settings of production."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pytest_dbguard.planning.lab.base import Explained, LabError
from pytest_dbguard.planning.plan import Plan
from pytest_dbguard.planning.postgres_plans import parse_postgres
from pytest_dbguard.schema.catalog import Catalog
from pytest_dbguard.schema.quoting import identifier

if TYPE_CHECKING:
    from psycopg import Connection, Error

_GENERIC_SINCE: Final = 16
_TIMEOUT_MS: Final = 10_000
# What a server's own configuration says of planning is undone: only what production says counts.
_UNDO: Final = """
    SELECT pg_catalog.set_config(name, boot_val, false) FROM pg_catalog.pg_settings
    WHERE (category LIKE 'Query Tuning%%' OR name = ANY (%s)) AND context IN ('user', 'superuser')
      AND boot_val IS NOT NULL AND setting IS DISTINCT FROM boot_val
"""
_TUNING: Final = [
    "effective_io_concurrency",
    "enable_partitionwise_aggregate",
    "enable_partitionwise_join",
    "hash_mem_multiplier",
    "max_parallel_workers",
    "max_parallel_workers_per_gather",
    "parallel_leader_participation",
    "work_mem",
]
_OURS: Final = MappingProxyType(
    {"jit": "off", "plan_cache_mode": "force_generic_plan", "statement_timeout": str(_TIMEOUT_MS)}
)
_PARAMETER: Final = re.compile(r"(?<![\w$])\$\d")
_PARAMETER_NUMBER: Final = re.compile(r"\$\d+")
_PARAMETERS: Final = "SELECT cardinality(parameter_types) FROM pg_catalog.pg_prepared_statements WHERE name = %s"
_SAFE_MESSAGES: Final = "42"  # the class of errors that name tables, columns and types
_SYNTAX: Final = "42601"


class PlannerSession:
    """A connection to a lab's database that explains."""

    def __init__(
        self, connection: Connection, catalog: Catalog, settings: Mapping[str, str], *, is_read_only: bool = True
    ) -> None:
        """Set the session up; `problems` then tells which settings this server does not take."""
        self.connection = connection
        self._major = connection.info.server_version // 10_000
        self._numbers = count(1)
        self._is_read_only = is_read_only
        self.problems = self._prepare(catalog, settings, is_read_only)

    def explain(self, sql: str) -> Explained:
        """Plan one statement; what the planner refuses is told without what the text holds."""
        import psycopg

        text = sql.strip().rstrip(";").rstrip()
        try:
            while True:
                try:
                    with nullcontext() if self._is_read_only else self._guarded():
                        return Explained(_without_ours(parse_postgres(self._explained(text))))
                except psycopg.errors.IndeterminateDatatype as error:
                    typed = _typed(text, error)
                    if typed == text:
                        raise
                    text = typed
        except LabError as error:
            return Explained(None, str(error))
        except psycopg.Error as error:
            return Explained(None, told(error))
        except UnicodeError:
            return Explained(None, "its text is not UTF-8")

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Let nothing be written, and no error end the transaction that the session may be in."""
        with self.connection.transaction(force_rollback=True):
            self.connection.execute("SET TRANSACTION READ ONLY")
            yield

    @property
    def _is_usable(self) -> bool:
        from psycopg.pq import TransactionStatus

        usable = (TransactionStatus.IDLE, TransactionStatus.INTRANS)
        return self.connection.info.transaction_status in usable

    def _explained(self, text: str) -> Any:
        """Return what EXPLAIN says, of a generic plan where the text has parameters."""
        options = "FORMAT JSON, VERBOSE, SETTINGS"
        if _PARAMETER.search(text) is None:
            return self._first(f"EXPLAIN ({options}) {text}")
        if self._major >= _GENERIC_SINCE:  # a string that looks like a parameter does no harm here
            return self._first(f"EXPLAIN ({options}, GENERIC_PLAN) {text}")
        name = f"dbguard_explained_{next(self._numbers)}"
        self.connection.execute(f"PREPARE {name} AS {text}")
        try:
            row: Any = self.connection.execute(_PARAMETERS, [name]).fetchone()
            nulls = f"({', '.join(['NULL'] * row[0])})" if row[0] else ""
            return self._first(f"EXPLAIN ({options}) EXECUTE {name}{nulls}")
        finally:
            if self._is_usable:
                self.connection.execute(f"DEALLOCATE {name}")

    def _first(self, statement: str) -> Any:
        # without parameters the driver sends the text as it is, so that the server may see $1
        row = self.connection.execute(statement).fetchone()
        return None if row is None else row[0]

    def _prepare(self, catalog: Catalog, settings: Mapping[str, str], is_read_only: bool) -> tuple[str, ...]:
        connection = self.connection
        connection.execute(_UNDO, [_TUNING])
        path = ", ".join(map(identifier, catalog.search_path or ("public",)))
        refused = [name for name, value in settings.items() if not self._set(name, value)]
        for name, value in (*_OURS.items(), ("search_path", path)):
            self._set(name, value)
        if is_read_only:
            connection.execute("SET default_transaction_read_only = on")
        return tuple(f"setting {name}: not taken by this server" for name in refused)

    def _set(self, name: str, value: str) -> bool:
        import psycopg

        try:
            self.connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", [name, value])
        except psycopg.Error:
            return False
        return True


def _without_ours(plan: Plan) -> Plan:
    """Return a plan that tells of settings only those which may be production's."""
    kept = tuple(setting for setting in plan.settings if setting[0] not in (*_OURS, "search_path"))
    return replace(plan, settings=kept)


def told(error: Error) -> str:
    """Return why the server refuses a text, without literals: only messages that name objects are shown."""
    state = error.sqlstate or ""
    if state == _SYNTAX:
        return "syntax error"
    if state.startswith(_SAFE_MESSAGES):
        return error.diag.message_primary or "refused"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.rstrip("_")).lower()


def _typed(text: str, error: Error) -> str:
    """Return a statement with a type for the parameter that the server found none for: that of a quoted value.

    It is the one that the server takes where a driver puts the value into the text: `count('x')`, `json_build_object`.
    """
    found = _PARAMETER_NUMBER.search(error.diag.message_primary or "")
    if found is None:
        return text
    return re.sub(rf"(?<![\w$]){re.escape(found[0])}(?!\d|::text)", f"{found[0]}::text", text)
