"""Tells why columns of an instance are loaded after the instance: deferred, of a subclass, expired, or refreshed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pytest_dbguard.recording.calls import ColumnCause


def column_names(state: Any, names: Iterable[str]) -> tuple[str, ...]:
    """Return the attribute names in the order of the instance's mapping."""
    wanted = set(names)
    if state is None:
        return tuple(sorted(wanted))
    return tuple(prop.key for prop in state.mapper.column_attrs if prop.key in wanted)


def column_cause(state: Any, names: tuple[str, ...], is_refresh: bool) -> ColumnCause | None:
    """Return why the columns of an instance (its `InstanceState`) are loaded; None when there is no instance."""
    if state is None:
        return None
    if is_refresh:
        return ColumnCause.REFRESHED
    # a column of a subclass table counts as expired as well until it is read for the first time
    if names and _lie_in_subclass(state.mapper, names) and not state.expired:
        return ColumnCause.SUBCLASS
    if state.expired or not state.expired_attributes.isdisjoint(names):
        return ColumnCause.EXPIRED
    return ColumnCause.DEFERRED


def _lie_in_subclass(mapper: Any, names: tuple[str, ...]) -> bool:
    if mapper.inherits is None:
        return False
    base = mapper.inherits.column_attrs
    return all(name not in base for name in names)
