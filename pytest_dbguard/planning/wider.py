"""Finds among the indexes that help those that another one makes unnecessary: it begins with the same columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pytest_dbguard.planning.assessment import AssessedStatement, Purpose, Verdict, Wanted
from pytest_dbguard.planning.lab.base import IndexSpec


def with_wider(statements: Iterable[AssessedStatement]) -> tuple[AssessedStatement, ...]:
    """Return the statements, each verdict that helps with the widest index of others that serves its statement too.

    What a statement wants stays as it is: its name must not depend on what else ran.
    """
    found = tuple(statements)
    helping = tuple(dict.fromkeys(w.spec for each in found for w, verdict in each.wanted if verdict.helps))
    return tuple(_with_wider(each, helping) for each in found)


def _with_wider(statement: AssessedStatement, helping: Sequence[IndexSpec]) -> AssessedStatement:
    pairs = tuple((wanted, _widened(wanted, verdict, helping)) for wanted, verdict in statement.wanted)
    return replace(statement, wanted=pairs)


def _widened(wanted: Wanted, verdict: Verdict, helping: Sequence[IndexSpec]) -> Verdict:
    if not verdict.helps:
        return verdict
    wide = [spec for spec in helping if serves(spec, wanted.spec, is_for_sort=wanted.purpose is Purpose.SORT)]
    return replace(verdict, wider=max(wide, key=lambda spec: (len(spec.keys), spec.keys))) if wide else verdict


def serves(wide: IndexSpec, spec: IndexSpec, *, is_for_sort: bool = False) -> bool:
    """Whether a wider index finds what another one finds: it begins with the same keys, and holds the same rows."""
    size = len(spec.keys)
    same = (wide.schema, wide.table, wide.method, wide.predicate) == (
        spec.schema,
        spec.table,
        spec.method,
        spec.predicate,
    )
    return same and len(wide.keys) > size and wide.keys[:size] == spec.keys and not spec.include and not is_for_sort
