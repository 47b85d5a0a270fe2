"""Says how to write a term that no index serves, and which index would serve it as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytest_dbguard.planning.assessment import Obstacle, Unusable
from pytest_dbguard.planning.candidates.column_types import TEXTS, Family, family_of
from pytest_dbguard.planning.candidates.conditions import Condition, View
from pytest_dbguard.planning.candidates.expressions import has_values
from pytest_dbguard.planning.candidates.specs import pattern_class, plain_spec, prefix_suffix, spec_of
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.schema.catalog import Dialect, Index
from pytest_dbguard.schema.quoting import quoted
from pytest_dbguard.sql.facts.model import TermKind, Wrapping

_POINTS = (TermKind.EQUAL, TermKind.LIST, TermKind.JOIN)
_DAY = re.compile(r"\bdate\s*\(|\bas date\b|::\s*date\b|date_trunc|ts_or_ds_to_date", re.IGNORECASE)
_PART = re.compile(r"strftime|to_char|extract\s*\(\s*year|date_part|date_trunc|date_format|time_to_str", re.IGNORECASE)
_FEW_PARTS = re.compile(r"extract\s*\(|date_part|strftime|to_char", re.IGNORECASE)
"""Months and hours are few: an index on them finds too much."""
_SHARE = re.compile(r"[%&]|(?<!\|)\|(?!\|)|<<|>>|\bmod\b", re.IGNORECASE)
"""Remainders and bits: they find a share of all rows, and say nothing about the column that could be said otherwise."""
_CALL = re.compile(r"\w+\(.*\)\Z", re.DOTALL)
_SPECIAL = re.compile(r"cast\b", re.IGNORECASE)


def is_told(condition: Condition) -> bool:
    """Whether a term with an obstacle is worth telling: what it asks for is few rows, and it could be served."""
    term, obstacle = condition.term, condition.obstacle
    if obstacle is None:
        return False
    if obstacle is Obstacle.FUNCTION or obstacle is Obstacle.CAST:
        if _FEW_PARTS.search(term.expression) and not re.search("year|%Y|yyyy", term.expression, re.IGNORECASE):
            return False
        if is_of_time(condition):
            return term.kind in (*_POINTS, TermKind.RANGE)
        return not condition.is_few and term.kind in (*_POINTS, TermKind.PREFIX)
    if obstacle is Obstacle.ARITHMETIC:
        if _SHARE.search(term.expression):
            return False
        return not condition.is_few and term.kind in (*_POINTS, TermKind.RANGE)
    return not condition.is_few


def is_of_time(condition: Condition) -> bool:
    """Whether a term compares the day or the year of a time, which a range says as well."""
    text = condition.term.expression
    return bool(_DAY.search(text) or (_PART.search(text) and "%m" not in text.split("%Y")[0]))


def unusable_of(
    view: View, condition: Condition, *, index: Index | None = None, obstacle: Obstacle | None = None
) -> Unusable:
    """Return what is said of one term; `index` is the one on its column that cannot serve it."""
    why = obstacle or condition.obstacle
    assert why is not None
    index = index or index_on(view, condition.column.name)
    return Unusable(
        obstacle=why,
        alias=view.scan.alias,
        query=view.scan.query,
        table=view.table.label,
        term=condition.term,
        index=index.name if index is not None else "",
        rewrite=_rewrite(condition, why, index),
        spec=_spec(view, condition, why),
    )


def search_of(view: View, conditions: Sequence[Condition]) -> Unusable:
    """Return what is said of an OR whose branches are all searches inside of texts."""
    found = unusable_of(view, conditions[0])
    spec = _trigram(view, conditions)
    return Unusable(found.obstacle, found.alias, found.query, found.table, found.term, found.index, found.rewrite, spec)


def index_on(view: View, column: str) -> Index | None:
    """Return an index that begins with a column, full ones first."""
    found = [index for index in view.table.indexes if index.keys and index.keys[0].column == column]
    return min(found, key=lambda index: (bool(index.predicate), index.name), default=None)


def _rewrite(condition: Condition, obstacle: Obstacle, index: Index | None) -> str:
    name = quoted(condition.column.name)
    if obstacle in (Obstacle.FUNCTION, Obstacle.CAST):
        if is_of_time(condition):
            return f"{name} >= :start AND {name} < :end"
        is_bare_cast = obstacle is Obstacle.CAST and condition.term.wrapping is Wrapping.CAST
        return f"{name} = :value" if is_bare_cast and condition.term.kind is TermKind.EQUAL else ""
    if obstacle is Obstacle.ARITHMETIC:
        return f"{name} alone on its side of the comparison"
    if obstacle is Obstacle.CASE_INSENSITIVE and not condition.term.is_case_insensitive and not condition.expression:
        return f"{name} LIKE :pattern"
    if obstacle is Obstacle.PREDICATE and index is not None:
        return f"the condition of the partial index {index.name} as well"
    if obstacle is Obstacle.INVALID and index is not None:
        return f"REINDEX INDEX CONCURRENTLY {quoted(index.name)}"
    return ""


def _spec(view: View, condition: Condition, obstacle: Obstacle) -> IndexSpec | None:
    name = condition.column.name
    if obstacle in (Obstacle.FUNCTION, Obstacle.CAST, Obstacle.ARITHMETIC):
        return _expression_spec(view, condition)
    if obstacle in (Obstacle.LEADING_WILDCARD, Obstacle.CASE_INSENSITIVE):
        return _trigram(view, [condition])
    if obstacle is Obstacle.PATTERN_CLASS or (obstacle is Obstacle.COLLATION and not condition.expression):
        return spec_of(view.table, [(name, f"{quoted(name)}{prefix_suffix(view, condition.column)}")])
    if obstacle is Obstacle.COLLATION:
        return _collated(view, condition)
    return plain_spec(view.table, [name]) if obstacle is Obstacle.PREDICATE else None


def _collated(view: View, condition: Condition) -> IndexSpec | None:
    found = re.search(r'\bcollate\s+("[^"]+"|\w+)\s*\Z', condition.term.expression, re.IGNORECASE)
    name = condition.column.name
    return spec_of(view.table, [(name, f"{quoted(name)} COLLATE {found[1]}")]) if found else None


def _expression_spec(view: View, condition: Condition) -> IndexSpec | None:
    """Return an index on the expression; None where it has values, or depends on the session's time zone."""
    text = condition.term.expression
    is_pattern = condition.term.kind is TermKind.PREFIX
    if has_values(text, view.dialect) or (view.dialect is Dialect.SQLITE and is_pattern):
        return None
    if view.dialect is Dialect.POSTGRESQL and _is_volatile(condition):
        return None
    key = text if _CALL.match(text) and not _SPECIAL.match(text) else f"({text})"
    return spec_of(view.table, [(None, f"{key} {pattern_class(condition.column)}" if is_pattern else key)])


def _is_volatile(condition: Condition) -> bool:
    """Whether PostgreSQL refuses an index on it: what it yields depends on settings of the session."""
    is_zoned = "with time zone" in condition.column.type.lower() or "timestamptz" in condition.column.type.lower()
    is_time = "timestamp" in condition.column.type.lower() or condition.column.type.lower() == "date"
    becomes_text = condition.obstacle is Obstacle.CAST and not _DAY.search(condition.term.expression)
    return is_zoned or (is_time and (becomes_text or "to_char" in condition.term.expression.lower()))


def _trigram(view: View, conditions: Sequence[Condition]) -> IndexSpec | None:
    """Return an index by trigrams where PostgreSQL's extension for it is there."""
    if view.dialect is not Dialect.POSTGRESQL or not any("pg_trgm" in line for line in view.catalog.prelude):
        return None
    if any(family_of(each.column, view.dialect) not in (*TEXTS, Family.OTHER) for each in conditions):
        return None
    keys = []
    for each in conditions:
        if each.expression and has_values(each.term.expression, view.dialect):
            return None
        plain = each.column.name if not each.expression else None
        keys.append((plain, f"{quoted(plain) if plain else each.term.expression} gin_trgm_ops"))
    keys = list(dict.fromkeys(keys))
    return IndexSpec(
        view.table.schema,
        view.table.name,
        tuple(key for _, key in keys),
        tuple(column for column, _ in keys),
        method="gin",
    )
