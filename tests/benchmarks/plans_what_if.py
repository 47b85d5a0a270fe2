"""Whether an index that is not there would help, as the lab says, beside what the real index does, and HypoPG."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import psycopg
from plans_databases import Populated
from plans_rungs import RUNGS, lab_of
from plans_tables import print_table
from plans_tpch_queries import Query
from plans_tpch_schema import CANDIDATES

from pytest_dbguard.planning.lab.base import IndexSpec, Lab, Rung
from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.model import Origin, Statistics, TableStatistics

BENEFIT = 0.9
HEAD = ("way", "real", "found", "false", "missed", "off by max", "mean", "> 1 %")
Pairs = list[tuple[float, float]]
"""Cost without and with an index, for each candidate and each query."""


def measure(source: Populated, queries: Sequence[Query]) -> None:
    """Print the verdicts of each rung, of statistics without values and of declared rows alone."""
    for kind in ("literal", "generic"):
        texts = [query.literal(0) if kind == "literal" else query.generic() for query in queries]
        real = _real(source, texts)
        rows = []
        if kind == "literal":
            rows += [_lab_row(source, source.full, rung, str(rung), texts, real) for rung in RUNGS]
        rows.append(_lab_row(source, source.scrubbed, Rung.FORGED, "forged, no values", texts, real))
        rows.append(_lab_row(source, _declared(source), Rung.FORGED, "forged, rows only", texts, real))
        hypo = _hypopg(source, texts)
        rows.append(_row("HypoPG, with rows", hypo, real) if hypo else ("HypoPG: not there", *[""] * 7))
        title = f"What if: {len(CANDIDATES)} indexes x {len(queries)} {kind} queries"
        print_table(f"{title}, PostgreSQL {source.server.version}", HEAD, rows)


def _real(source: Populated, texts: Sequence[str]) -> Pairs:
    """Make each index for real, and drop it again."""

    @contextmanager
    def made(number: int) -> Iterator[None]:
        table, columns = CANDIDATES[number]
        source.connection.execute(f"CREATE INDEX candidate ON {table} ({', '.join(columns)})")
        try:
            yield
        finally:
            source.connection.execute("DROP INDEX candidate")

    return _pairs(lambda text: source.explain(text).cost or 0.0, made, texts)


def _pairs(
    cost: Callable[[str], float], made: Callable[[int], AbstractContextManager[None]], texts: Sequence[str]
) -> Pairs:
    before = [cost(text) for text in texts]
    pairs: Pairs = []
    for number in range(len(CANDIDATES)):
        with made(number):
            pairs += zip(before, map(cost, texts), strict=True)
    return pairs


def _lab_row(
    source: Populated, statistics: Statistics, rung: Rung, label: str, texts: Sequence[str], real: Pairs
) -> tuple[str, ...]:
    with lab_of(rung, source.server, source.catalog, statistics) as lab:
        names = lab.add(IndexSpec("public", table, columns, columns) for table, columns in CANDIDATES)
        pairs = _pairs(lambda text: _cost(lab, text), lambda number: lab.visible(shown=[names[number]]), texts)
    return _row(label, pairs, real)


def _cost(lab: Lab, text: str) -> float:
    found = lab.explain(text)
    assert found.plan is not None, found.problem
    return found.plan.cost or 0.0


def _declared(source: Populated) -> Statistics:
    """Return what `[tool.dbguard.scale]` would say: numbers of rows, all else from the schema."""
    tables = tuple(TableStatistics(t.schema, t.name, t.rows, origin=Origin.DECLARED) for t in source.full.tables)
    return completed(Statistics(tables, Origin.DECLARED, "declared"), source.catalog)


def _hypopg(source: Populated, texts: Sequence[str]) -> Pairs:
    """Ask HypoPG in the database with rows; () where it is not installed."""
    try:
        source.connection.execute("CREATE EXTENSION IF NOT EXISTS hypopg")
    except psycopg.Error:
        return []

    @contextmanager
    def made(number: int) -> Iterator[None]:
        table, columns = CANDIDATES[number]
        statement = f"CREATE INDEX ON {table} ({', '.join(columns)})"
        source.connection.execute("SELECT hypopg_create_index(%s)", [statement])
        yield
        source.connection.execute("SELECT hypopg_reset()")

    return _pairs(lambda text: source.explain(text).cost or 0.0, made, texts)


def _row(label: str, pairs: Pairs, real: Pairs) -> tuple[str, ...]:
    wanted = [after <= BENEFIT * before for before, after in real]
    said = [after <= BENEFIT * before for before, after in pairs]
    found = sum(a and b for a, b in zip(said, wanted, strict=True))
    # each beside its own cost without the index, so that what is told of the benefit is compared
    off = [
        abs(after / before / (real_after / real_before) - 1)
        for (before, after), (real_before, real_after) in zip(pairs, real, strict=True)
    ]
    return (
        label,
        str(sum(wanted)),
        str(found),
        str(sum(said) - found),
        str(sum(wanted) - found),
        f"{max(off):.2%}",
        f"{sum(off) / len(off):.3%}",
        str(sum(each > 0.01 for each in off)),
    )
