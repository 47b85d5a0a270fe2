"""Takes what one fixture of wider scope wrote out of what later ones, which outlive it, have found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_dbguard.resets.postgres_prepare import SCHEMA
from pytest_dbguard.resets.postgres_session import PostgresSession, StatementFailed
from pytest_dbguard.resets.postgres_state import CleanState, Copy

# Rows are compared by their text, since not every type has an equality; the numbers tell equal rows apart.
_NUMBERED = "SELECT t, t::text AS r, row_number() OVER (PARTITION BY t::text) AS n FROM {table} t"
_ADDED = """
SELECT r, row_number() OVER (PARTITION BY r) AS n
FROM (SELECT t::text AS r FROM {lower} t EXCEPT ALL {below}) added
"""
_REMOVED = """
SELECT r, row_number() OVER (PARTITION BY r) AS n
FROM ({below} EXCEPT ALL SELECT t::text FROM {lower} t) removed
"""
_KEEP = """
INSERT INTO {trial} SELECT (found.t).* FROM ({numbered}) found LEFT JOIN ({added}) added USING (r, n)
WHERE added.r IS NULL
"""
_PUT_BACK = """
INSERT INTO {trial} SELECT (found.t).* FROM ({numbered}) found JOIN ({removed}) removed USING (r, n)
ON CONFLICT DO NOTHING
"""
# Only the keys of whole hierarchies; their partitions are looked up, since it is these that have rows.
_FOREIGN_KEYS = """
SELECT
    (SELECT string_agg(coalesce(p.relid, k.conrelid::regclass)::oid::text, ' ')
     FROM (SELECT) one LEFT JOIN pg_partition_tree(k.conrelid) p ON p.isleaf),
    (SELECT string_agg(coalesce(p.relid, k.confrelid::regclass)::oid::text, ' ')
     FROM (SELECT) one LEFT JOIN pg_partition_tree(k.confrelid) p ON p.isleaf),
    (SELECT string_agg(format('child.%1$I IS NOT NULL', a.attname), ' AND ')
     FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)),
    (SELECT string_agg(format('child.%I = parent.%I', a.attname, b.attname), ' AND ')
     FROM unnest(k.conkey, k.confkey) u (child, parent)
     JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.child
     JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = u.parent)
FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0
"""
_ORPHANS = """
SELECT FROM {child} child WHERE {given} AND NOT EXISTS (SELECT FROM ({parents}) parent WHERE {same}) LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class _Key:
    """A foreign key: which tables have the rows at either end, and its columns as conditions."""

    children: tuple[int, ...]
    parents: tuple[int, ...]
    given: str
    same: str


@dataclass(frozen=True, slots=True)
class _Trial:
    """The table that shows what a copy would hold."""

    name: str
    oid: int
    upper: Copy
    lower: Copy
    below: Copy | None


class Subtraction:
    """One layer on its way out from below others.

    What is left must be a state that the database allows: the later fixtures may have written rows that refer to
    those that go, or that took their keys. That is tried in tables of its own first.
    """

    def __init__(self, session: PostgresSession, state: CleanState, number: int) -> None:
        self._session = session
        self._state = state
        self._number = number
        self._trials = tuple(self._mixed())

    def try_out(self) -> bool:
        """Tell whether the layer can be taken out without breaking a constraint; nothing has changed yet.

        Raises:
            StatementFailed: When the connection is lost.
        """
        try:
            for trial in self._trials:
                self._fill(trial)
            return not self._has_orphans()
        except StatementFailed as error:
            if not error.is_connected:
                raise
            return False

    def carry_out(self) -> None:
        """Leave in each copy above only what would be there if the layer's fixture had not written.

        A row that both fixtures changed stays as the later one left it.

        Raises:
            StatementFailed: When that is not possible; the copies are as they were.
        """
        moves = [f"TRUNCATE {each.upper.name}; INSERT INTO {each.upper.name} SELECT * FROM {each.name}"
                 for each in self._trials]  # fmt: skip
        if moves:
            self._session.run(";".join(moves))
        for trial in self._trials:
            ((rows,),) = self._session.run(f"SELECT count(*) FROM {trial.upper.name}")
            trial.upper.rows = int(rows or 0)
            # no table reads like that: it is filled again with the next cleaning
            trial.upper.signature = trial.upper.first_signature = ""

    def close(self) -> None:
        """Delete the tables of its own."""
        if self._trials:
            self._session.run(f"DROP TABLE IF EXISTS {', '.join(trial.name for trial in self._trials)}")

    def _mixed(self) -> Iterator[_Trial]:
        """Yield a trial for each copy of a layer above that holds what this layer wrote."""
        layers = self._state.layers
        layer, below = layers[self._number], self._state.up_to(self._number)
        for level, upper in enumerate(layers[self._number + 1 :]):
            for oid in sorted(layer.copies.keys() & upper.copies.keys()):
                name = f'{SCHEMA}."try_{level}_{oid}"'
                yield _Trial(name, oid, upper.copies[oid], layer.copies[oid], below.get(oid))

    def _fill(self, trial: _Trial) -> None:
        run, table = self._session.run, self._state.top.facts.tables[trial.oid].name
        below = trial.below.name if trial.below else None
        rows_below = f"SELECT t::text AS r FROM {below} t" if below else "SELECT NULL::text AS r WHERE false"
        added = _ADDED.format(lower=trial.lower.name, below=rows_below)
        run(f"DROP TABLE IF EXISTS {trial.name}; CREATE TABLE {trial.name} (LIKE {table} INCLUDING INDEXES)")
        numbered = _NUMBERED.format(table=trial.upper.name)
        run(_KEEP.format(trial=trial.name, numbered=numbered, added=added))
        if below is not None and self._is_untouched(trial, added):
            removed = _REMOVED.format(lower=trial.lower.name, below=rows_below)
            numbered = _NUMBERED.format(table=below)
            run(_PUT_BACK.format(trial=trial.name, numbered=numbered, removed=removed))

    def _is_untouched(self, trial: _Trial, added: str) -> bool:
        """Tell whether all rows that the earlier fixture added were still there: none was changed by the later one."""
        counts = f"(SELECT count(*) FROM {trial.upper.name}), (SELECT count(*) FROM {trial.name})"
        ((upper, kept, gone),) = self._session.run(f"SELECT {counts}, (SELECT count(*) FROM ({added}) a)")
        return int(upper or 0) - int(kept or 0) == int(gone or 0)

    def _has_orphans(self) -> bool:
        """Tell whether a row that is left, in any layer above, refers to one that is not."""
        changed = self._state.layers[self._number].copies.keys()
        keys = [key for key in self._keys() if changed & {*key.children, *key.parents}]
        return any(self._breaks(key, tables) for tables in self._left() for key in keys)

    def _left(self) -> Iterator[Mapping[int, str]]:
        """Yield, for each layer above, which table would hold the rows of each table."""
        names = {id(trial.upper): trial.name for trial in self._trials}
        tables = {oid: copy.name for oid, copy in self._state.up_to(self._number).items()}
        for layer in self._state.layers[self._number + 1 :]:
            tables = tables | {oid: names.get(id(copy), copy.name) for oid, copy in layer.copies.items()}
            yield tables

    def _keys(self) -> Iterator[_Key]:
        for children, parents, given, same in self._session.run(_FOREIGN_KEYS):
            yield _Key(_numbers(children), _numbers(parents), given or "", same or "")

    def _breaks(self, key: _Key, tables: Mapping[int, str]) -> bool:
        parents = [f"SELECT * FROM {tables[oid]}" for oid in key.parents if oid in tables]
        nothing = f"SELECT * FROM {self._any_of(key.parents)} WHERE false"
        for child in (tables[oid] for oid in key.children if oid in tables):
            query = _ORPHANS.format(
                child=child, given=key.given, parents=" UNION ALL ".join(parents) or nothing, same=key.same
            )
            if self._session.run(query):
                return True
        return False

    def _any_of(self, tables: tuple[int, ...]) -> str:
        known = self._state.top.facts.tables
        return next((known[oid].name for oid in tables if oid in known), "(SELECT) AS parent")


def _numbers(text: str | None) -> tuple[int, ...]:
    return tuple(map(int, (text or "").split()))
