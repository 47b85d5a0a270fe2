"""Has tables of PostgreSQL vacuumed once the rows deleted from them make reading them slow."""

from __future__ import annotations

from pytest_dbguard.resets.postgres_facts import Facts
from pytest_dbguard.resets.postgres_session import PostgresSession, StatementFailed

_BLOAT_BYTES = 128 * 1024
_EVERY = 50


class Upkeep:
    """Watches how large the tables are that are emptied again and again."""

    def __init__(self, session: PostgresSession, facts: Facts) -> None:
        self._session = session
        self._facts = facts
        self._limits: dict[int, int] = {}
        self._touched: set[int] = set()
        self._cleanings = 0

    def note(self, sizes: dict[int, int]) -> None:
        """Take in the sizes of tables after they were emptied; vacuum what needs it.

        Indexes collect dead entries that the size of a table does not show, hence what was touched has its turn
        regularly.
        """
        self._touched.update(sizes)
        self._cleanings += 1
        large = {oid for oid, size in sizes.items() if size > self._limits.get(oid, _BLOAT_BYTES)}
        if self._cleanings >= _EVERY:
            self._cleanings = 0
            large |= self._touched
        if large:
            self._touched -= large
            self._vacuum(sorted(large))

    def _vacuum(self, tables: list[int]) -> None:
        names = ", ".join(self._facts.tables[oid].name for oid in tables)
        try:
            self._session.run(f"VACUUM (SKIP_LOCKED) {names}")
        except StatementFailed as error:
            if not error.is_connected:
                raise
        for oid in tables:
            ((size,),) = self._session.run(f"SELECT coalesce(pg_relation_size({oid}), 0)")
            self._limits[oid] = max(_BLOAT_BYTES, 2 * int(size or 0))  # rows that belong there are no bloat
