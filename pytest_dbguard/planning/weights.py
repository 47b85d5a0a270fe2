"""Lays production's counts over the statements of a saved run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import MappingProxyType

from pytest_dbguard.planning.workload import Use, Workload, WorkloadStatement

# constants to PostgreSQL as well, which its statistics show as parameters; behind IS they are none
_CONSTANTS = re.compile(
    r"(?<!\bIS )(?<!\bNOT )\b(?:TRUE|FALSE|NULL)\b|'%'|(?<=\bEXTRACT\()\w+(?= FROM\b)", re.IGNORECASE
)
_CASTS = re.compile(r"(?<=\?)::\s*\w+(?:\(\d+(?:, ?\d+)?\))?(?:\[\])*")


def weighted(workload: Workload, export: Workload, *, with_others: bool = True) -> Workload:
    """Return a run's workload with the counts and times of an export of production.

    Statements are the same where their shapes are. The places of a statement keep their shares of its count, none of
    them less than 1. What production does not run weighs one execution at each place.

    Args:
        workload: Of a saved run, which knows the places.
        export: Of production.
        with_others: Whether statements that only production runs are added; they have no place.
    """
    ran = _by_key(export.statements)
    laid = [_laid(each, ran.get(loose_key(each))) for each in workload.statements]
    known = {loose_key(each) for each in workload.statements}
    others = [each for key, each in ran.items() if key not in known] if with_others else []
    skipped = Counter(workload.skipped) + Counter(export.skipped if with_others else {})
    return Workload(workload.schema_id, tuple(laid + others), MappingProxyType(dict(skipped)))


def loose_key(statement: WorkloadStatement) -> str:
    """Return what a statement has in common with the same one in `pg_stat_statements`."""
    return _CASTS.sub("", _CONSTANTS.sub("?", statement.shape.text)).casefold()


def merged(one: WorkloadStatement, other: WorkloadStatement) -> WorkloadStatement:
    """Return two entries about one statement as one: counts added up, times averaged; the first one's text stays."""
    mean_ms = one.mean_ms
    if one.mean_ms is not None and other.mean_ms is not None and one.count + other.count:
        mean_ms = (one.mean_ms * one.count + other.mean_ms * other.count) / (one.count + other.count)
    return replace(one, uses=(*one.uses, *other.uses), mean_ms=mean_ms)


def _by_key(statements: Iterable[WorkloadStatement]) -> dict[str, WorkloadStatement]:
    found: dict[str, WorkloadStatement] = {}
    for each in statements:
        key = loose_key(each)
        found[key] = merged(found[key], each) if key in found else each
    return found


def _laid(statement: WorkloadStatement, seen: WorkloadStatement | None) -> WorkloadStatement:
    if seen is None:
        return replace(statement, uses=tuple(replace(use, count=1) for use in statement.uses))
    mean_ms = statement.mean_ms if seen.mean_ms is None else seen.mean_ms
    return replace(statement, uses=_shared(statement.uses, seen.count) or seen.uses, mean_ms=mean_ms)


def _shared(uses: Sequence[Use], count: int) -> tuple[Use, ...]:
    """Share a count among places as they shared the one before; what does not divide goes to the first."""
    whole = sum(use.count for use in uses) or 1
    shares = [max(use.count * count // whole, 1) for use in uses]
    if shares:
        shares[0] += max(count - sum(shares), 0)
    return tuple(replace(use, count=share) for use, share in zip(uses, shares, strict=True))
