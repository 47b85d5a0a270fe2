"""Which indexes a statement could use that do not exist: proposals, for a planner to confirm."""

from __future__ import annotations

from pytest_dbguard.planning.assessment import Wanted
from pytest_dbguard.planning.candidates.driving import proposals
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog
from pytest_dbguard.sql.facts.model import StatementFacts


def wanted(
    facts: StatementFacts, catalog: Catalog, statistics: Statistics | None, *, sql: str = ""
) -> tuple[Wanted, ...]:
    """Return the indexes that a statement wants, in the order of its scans; () where all is served or nothing could be.

    `sql` is the text that `facts` are of. With it the predicates of partial indexes are compared with the statement's
    conditions; without it a partial index counts as usable wherever the statement restricts the predicate's columns.
    """
    return proposals(facts, catalog, statistics, sql).wanted
