"""Joins that change nothing: no column of the joined table is read, and it neither adds rows nor takes any away."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_dbguard.schema.catalog import Catalog
from pytest_dbguard.sql.facts.model import StatementFacts


@dataclass(frozen=True, slots=True)
class UnusedJoin:
    """A join that can go.

    Attributes:
        alias: Of the joined table in the statement.
        table: The table, as `Table.label`.
        kind: "left" or "inner".
        columns: Columns of it that the join compares.
        reason: Why it adds and takes no rows, in a few words.
    """

    alias: str
    table: str
    kind: str
    columns: tuple[str, ...]
    reason: str


def unused_joins(facts: StatementFacts, catalog: Catalog, *, sql: str = "") -> tuple[UnusedJoin, ...]:
    """Return the joins that a statement can do without; () without `sql`, the text that `facts` are of."""
    return ()
