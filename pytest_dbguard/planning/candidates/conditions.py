"""What one scan asks of its table, each term with what stands between it and an index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from pytest_dbguard.planning.assessment import Obstacle
from pytest_dbguard.planning.candidates.column_types import TEXTS, Family, compares_by_index, family_of, family_of_type
from pytest_dbguard.planning.candidates.expressions import canonical, columns_in
from pytest_dbguard.planning.candidates.predicates import asks_for_null
from pytest_dbguard.planning.candidates.selectivity import holds_few, holds_few_by_type, is_small
from pytest_dbguard.planning.statistics.model import Statistics, TableStatistics
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, RelationKind, Table
from pytest_dbguard.sql.facts.model import Alternative, Scan, StatementFacts, Term, TermKind, Wrapping

_WRAPPED = {
    Wrapping.FUNCTION: Obstacle.FUNCTION,
    Wrapping.CAST: Obstacle.CAST,
    Wrapping.ARITHMETIC: Obstacle.ARITHMETIC,
    Wrapping.COLLATE: Obstacle.COLLATION,
}
_VIEWS = (RelationKind.VIEW, RelationKind.FOREIGN, RelationKind.VIRTUAL)


@dataclass(frozen=True, slots=True)
class Condition:
    """One term as an index sees it.

    Attributes:
        term: What is written.
        column: Its column.
        expression: Canonical spelling of what is compared; "" for the plain column.
        obstacle: Why no index on the plain column serves it; None where one would.
        is_few: Whether the column holds few different values, so that an index on it alone is not wanted.
        is_weak: Whether even an index that exists finds too much by it alone.
    """

    term: Term
    column: Column
    expression: str = ""
    obstacle: Obstacle | None = None
    is_few: bool = False
    is_weak: bool = False

    @property
    def is_single(self) -> bool:
        """Whether it leaves one value, so that what follows in an index is in order."""
        return self.term.kind is TermKind.EQUAL


@dataclass(frozen=True, slots=True)
class View:
    """One scan with its table, and what it asks.

    Attributes:
        scan: As the statement has it.
        table: As the catalog has it.
        catalog: Where the table is from.
        statistics: Of the table; None where they are not known.
        constants: Conditions with values.
        joins: Conditions with columns of others.
        choices: ORs that an index for each branch would serve.
        searches: The branches of ORs that are all searches which no B-tree serves.
        key: Query and alias.
    """

    scan: Scan
    table: Table
    catalog: Catalog
    statistics: TableStatistics | None = None
    constants: tuple[Condition, ...] = ()
    joins: tuple[Condition, ...] = ()
    choices: tuple[tuple[tuple[Condition, ...], ...], ...] = ()
    searches: tuple[Condition, ...] = ()
    key: tuple[int, str] = field(default=(0, ""))

    @property
    def dialect(self) -> Dialect:
        """The catalog's."""
        return self.catalog.dialect

    @property
    def is_small(self) -> bool:
        """Whether no index pays on its table."""
        return is_small(self.statistics)

    @property
    def is_selective(self) -> bool:
        """Whether its own conditions leave few of its rows."""
        return bool(self.choices or self.searches) or any(asks_for_index(each) for each in self.constants)


def asks_for_index(condition: Condition) -> bool:
    """Whether a condition with a value leaves few rows, so that an index for it is worth having."""
    return condition.term.kind is not TermKind.NULL and not condition.is_few


def views_of(facts: StatementFacts, catalog: Catalog, statistics: Statistics | None, sql: str = "") -> tuple[View, ...]:
    """Return the scans of tables that can have indexes, in the order of the statement."""
    found = []
    for scan in facts.scans:
        table = catalog.table(scan.table, scan.schema)
        if table is not None and table.kind not in _VIEWS and not table.is_temporary:
            known = statistics.table(table.name, table.schema) if statistics is not None else None
            found.append(_Reader(table, catalog, known, sql).view(scan))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the terms of one scan."""

    table: Table
    catalog: Catalog
    statistics: TableStatistics | None
    sql: str

    def view(self, scan: Scan) -> View:
        """Return the scan with its conditions."""
        terms = [*scan.terms, *(term for each in scan.alternatives for term in _folded(each))]
        conditions = list(self._conditions(terms))
        choices: list[tuple[tuple[Condition, ...], ...]] = []
        searches: list[Condition] = []
        for alternative in scan.alternatives:
            branches = [tuple(self._conditions(branch)) for branch in alternative.branches]
            if not alternative.is_of_one_scan or any(_folded(alternative)):
                continue
            if all(any(_can_lead(each) for each in branch) for branch in branches):
                choices.append(tuple(tuple(each for each in branch if _can_lead(each)) for branch in branches))
            elif all(len(branch) == 1 and branch[0].obstacle in _SEARCHES for branch in branches):
                searches.extend(branch[0] for branch in branches)
        return View(
            scan,
            self.table,
            self.catalog,
            self.statistics,
            constants=tuple(each for each in conditions if each.term.kind is not TermKind.JOIN),
            joins=tuple(each for each in conditions if each.term.kind is TermKind.JOIN),
            choices=tuple(choices),
            searches=tuple(searches),
            key=(scan.query, scan.alias),
        )

    def _conditions(self, terms: Iterable[Term]) -> Iterator[Condition]:
        for term in terms:
            column = self._column(term.column)
            if column is None or term.is_negated or family_of(column, self.catalog.dialect) is Family.UNORDERED:
                continue
            if _other_side_serves(term):
                continue
            found = self._condition(term, column)
            if found is not None:
                yield found

    def _column(self, name: str) -> Column | None:
        exact = self.table.column(name)
        return exact or next((each for each in self.table.columns if each.name.lower() == name.lower()), None)

    def _condition(self, term: Term, column: Column) -> Condition | None:
        dialect = self.catalog.dialect
        if term.operator == "OR" and self._may_be_null(term, column):
            # an open end: most rows have none
            term = replace(term, kind=TermKind.NULL)
        is_like = term.kind is TermKind.PREFIX and not term.is_case_insensitive
        if is_like and term.pattern == "exact" and self.catalog.dialect is Dialect.POSTGRESQL:
            # PostgreSQL looks for a pattern without wildcards as for a value
            term = replace(term, kind=TermKind.EQUAL)
        obstacle = self._obstacle(term, column)
        if obstacle is None and (term.kind is TermKind.OTHER or term.pattern == "unknown"):
            return None
        is_few = holds_few(self.table, column, self.statistics, dialect)
        is_weak = term.kind is TermKind.NULL or holds_few_by_type(column, self.statistics, dialect)
        plain = term.wrapping is Wrapping.NONE or self._is_same_text(term, column)
        if plain:
            return Condition(term, column, "", obstacle, is_few, is_weak)
        names = {name.lower() for name in columns_in(term.expression, dialect)}
        if names != {column.name.lower()}:
            return None
        return Condition(term, column, canonical(term.expression, dialect), obstacle, is_few, is_weak)

    def _may_be_null(self, term: Term, column: Column) -> bool:
        return term.operand == "null" or asks_for_null(self.sql, column.name, self.catalog.dialect)

    def _obstacle(self, term: Term, column: Column) -> Obstacle | None:
        if term.pattern == "leading":
            return Obstacle.LEADING_WILDCARD
        is_search = term.is_case_insensitive or self._is_computed_pattern(term, column)
        if term.pattern in ("prefix", "exact") and is_search:
            return Obstacle.CASE_INSENSITIVE
        if term.kind is TermKind.OTHER or self._is_same_text(term, column):
            return None
        if term.wrapping is not Wrapping.NONE:
            return _WRAPPED[term.wrapping]
        if term.operand_type and term.kind is not TermKind.JOIN:
            dialect = self.catalog.dialect
            own, other = family_of(column, dialect), family_of_type(term.operand_type, dialect)
            return None if compares_by_index(own, other, dialect) else Obstacle.TYPE
        return None

    def _is_computed_pattern(self, term: Term, column: Column) -> bool:
        """Whether SQLite has to compute the pattern, `? || '%'`: it then compares row by row, whatever the case."""
        is_like = term.operator == "LIKE" and self.catalog.dialect is Dialect.SQLITE
        return is_like and term.kind is TermKind.OTHER and column.collation.upper() != "NOCASE"

    def _is_same_text(self, term: Term, column: Column) -> bool:
        """Whether a cast changes nothing to PostgreSQL: text to text."""
        if term.wrapping is not Wrapping.CAST or self.catalog.dialect is not Dialect.POSTGRESQL:
            return False
        is_text = family_of(column, self.catalog.dialect) in TEXTS
        return is_text and canonical(term.expression, self.catalog.dialect) == column.name.lower()


def _other_side_serves(term: Term) -> bool:
    """Whether a column is computed with only to be a bound of another scan's plain column: `d.price > p.price + 8`."""
    is_computed = term.wrapping is not Wrapping.NONE and term.other_wrapping is Wrapping.NONE
    return is_computed and term.other is not None and term.kind is TermKind.RANGE


_SEARCHES = (Obstacle.LEADING_WILDCARD, Obstacle.CASE_INSENSITIVE)
_VALUES = (TermKind.EQUAL, TermKind.LIST)
_BOUNDS = (*_VALUES, TermKind.RANGE, TermKind.PREFIX)


def _can_lead(condition: Condition) -> bool:
    """Whether an index for one branch of an OR can begin with this condition's column."""
    return condition.obstacle is None and asks_for_index(condition) and condition.term.kind is not TermKind.JOIN


def _folded(alternative: Alternative) -> Iterator[Term]:
    """Yield a term for each plain column that every branch restricts: the OR is a list of it, or a range."""
    if not alternative.is_of_one_scan or not all(alternative.branches):
        return
    by_column = [
        {t.column: t for t in branch if t.is_sargable and t.kind in _BOUNDS} for branch in alternative.branches
    ]
    for column, first in by_column[0].items():
        terms = [each.get(column) for each in by_column]
        if all(term is not None for term in terms):
            kinds = {term.kind for term in terms if term is not None}
            kind = TermKind.LIST if kinds <= set(_VALUES) else TermKind.RANGE
            if TermKind.PREFIX not in kinds:
                yield replace(first, kind=kind)
