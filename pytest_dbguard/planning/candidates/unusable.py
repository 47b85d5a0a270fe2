"""Terms that no index serves as they are written, with what to write or to create instead."""

from __future__ import annotations

from pytest_dbguard.planning.assessment import Unusable
from pytest_dbguard.planning.candidates.driving import proposals
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.schema.catalog import Catalog
from pytest_dbguard.sql.facts.model import StatementFacts


def unusable(
    facts: StatementFacts, catalog: Catalog, statistics: Statistics | None, *, sql: str = ""
) -> tuple[Unusable, ...]:
    """Return the terms on which a scan depends and that no index serves as they are written.

    `sql` as for `wanted`. A term of a scan for which `wanted` proposes an index is never among them.
    """
    return proposals(facts, catalog, statistics, sql).unusable
