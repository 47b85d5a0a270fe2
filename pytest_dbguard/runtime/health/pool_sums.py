"""Adds up the figures of several pools that lead to one server, and tells when a pool has nothing left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields

from pytest_dbguard.runtime.pools.histogram import HistogramFigures
from pytest_dbguard.runtime.pools.stats import PoolFigures


def is_exhausted(figures: PoolFigures) -> bool:
    """Whether the next caller would have to wait; never of a pool without a limit."""
    has_limit = figures.size > 0 and figures.overflow >= 0
    return has_limit and figures.in_use >= figures.size + figures.overflow


def added(pools: Sequence[PoolFigures]) -> PoolFigures | None:
    """Return the sum of several pools; None of none. Without a limit is what has one part without."""
    if len(pools) < 2:
        return pools[0] if pools else None
    sums = {
        each.name: sum(getattr(pool, each.name) for pool in pools)
        for each in fields(PoolFigures)
        if isinstance(getattr(pools[0], each.name), int)
    }
    if any(pool.overflow < 0 for pool in pools):
        sums["overflow"] = -1
    if any(pool.size == 0 for pool in pools):
        sums["size"] = 0
    closed: Counter[str] = Counter()
    for pool in pools:
        closed.update(pool.closed)
    return PoolFigures(
        **sums,
        closed=dict(closed),
        wait=_added([pool.wait for pool in pools]),
        use=_added([pool.use for pool in pools]),
        connect=_added([pool.connect for pool in pools]),
    )


def _added(histograms: Sequence[HistogramFigures]) -> HistogramFigures:
    return HistogramFigures(
        counts=tuple(map(sum, zip(*(each.counts for each in histograms), strict=True))),
        total_s=sum(each.total_s for each in histograms),
        max_s=max(each.max_s for each in histograms),
    )
