"""Says how healthy servers, roles and all of them are, from what they answered. Asks nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pytest_dbguard.runtime.health.answers import Answer
from pytest_dbguard.runtime.health.lag import Lag
from pytest_dbguard.runtime.health.model import Health, RoleHealth, Status, TargetHealth, worst
from pytest_dbguard.runtime.health.pool_sums import added, is_exhausted
from pytest_dbguard.runtime.pools.stats import PoolFigures

LOW_DISK_BYTES: Final = 100_000_000
"""With less than this, SQLite may soon fail to write its journal."""


def judge_target(
    role: str,
    name: str,
    answer: Answer,
    *,
    lag: Lag,
    pools: Sequence[PoolFigures],
    max_lag_s: float,
    checked_at: float,
) -> TargetHealth:
    """Return the health of one server."""
    troubles = tuple(_troubles(role, answer, lag, pools, max_lag_s))
    return TargetHealth(
        role=role,
        name=name,
        status=worst(tuple(status for status, _ in troubles)),
        reachable=answer.reachable,
        read_only=answer.read_only,
        lag_s=lag.seconds,
        lag_bytes=lag.size_bytes,
        pool=added(pools),
        latency_ms=answer.latency_ms,
        connect_ms=answer.connect_ms,
        revision=answer.revision,
        disk_free_bytes=answer.disk_free_bytes,
        reason=", ".join(reason for _, reason in troubles),
        checked_at=checked_at,
    )


def judge_role(role: str, served_by: str, targets: Mapping[str, TargetHealth]) -> RoleHealth:
    """Return the health of a role: it is unhealthy when no server of it can be used."""
    statuses = tuple(each.status for each in targets.values())
    status = worst(statuses)
    if status == "unhealthy" and any(each != "unhealthy" for each in statuses):
        status = "degraded"
    return RoleHealth(role=role, status=status, targets=targets, served_by=served_by)


def judge_all(roles: Mapping[str, RoleHealth], *, checked_at: float, elapsed_ms: float) -> Health:
    """Return the health of everything: reads can go to primary, and writes nowhere else."""
    primary = roles["primary"].status
    others: Status = "healthy" if all(each.status == "healthy" for each in roles.values()) else "degraded"
    return Health(status=worst((primary, others)), roles=roles, checked_at=checked_at, elapsed_ms=elapsed_ms)


def _troubles(
    role: str, answer: Answer, lag: Lag, pools: Sequence[PoolFigures], max_lag_s: float
) -> Sequence[tuple[Status, str]]:
    found: list[tuple[Status, str]] = []
    if answer.reason:
        found.append(("degraded" if answer.reachable else "unhealthy", answer.reason))
    if role == "primary" and answer.read_only:
        found.append(("unhealthy", "is a replica" if answer.is_replica else "refuses writes"))
    if role == "readonly" and lag.is_stray:
        found.append(("unhealthy", "was promoted and follows primary no more"))
    if lag.seconds is not None and lag.seconds > max_lag_s:
        paused = ", replay is paused" if answer.is_paused else ""
        found.append(("degraded", f"lags {lag.seconds:.1f} s behind, more than {max_lag_s:g} s{paused}"))
    if any(map(is_exhausted, pools)):
        found.append(("degraded", "has no connection left in its pool"))
    if answer.disk_free_bytes is not None and answer.disk_free_bytes < LOW_DISK_BYTES:
        found.append(("degraded", f"has {answer.disk_free_bytes // 1_000_000} MB of disk left"))
    return found
