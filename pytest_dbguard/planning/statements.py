"""Reads the statements of a workload: texts that can be explained, their facts, and the indexes that they want."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_dbguard.planning.assessment import Unusable, Wanted
from pytest_dbguard.planning.candidates.unused_joins import UnusedJoin
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.workload import WorkloadStatement
from pytest_dbguard.schema.catalog import Catalog
from pytest_dbguard.sql.explainable import Explainable
from pytest_dbguard.sql.facts.model import StatementFacts
from pytest_dbguard.sql.lint.model import LintMark

PLANNED = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES"})
"""Verbs of statements that have a plan worth reading; of others nothing is said."""

NO_TEXT = "no text of it was kept"
NOT_EXPLAINABLE = "its text cannot be explained"


@dataclass(frozen=True, slots=True)
class Variant:
    """One text of a statement: with its constants, as far as they decide a plan."""

    sql: str
    facts: StatementFacts
    wanted: tuple[Wanted, ...] = ()
    unusable: tuple[Unusable, ...] = ()
    unused_joins: tuple[UnusedJoin, ...] = ()
    marks: tuple[LintMark, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as it was understood; with a `problem` there may be no variants."""

    statement: WorkloadStatement
    variants: tuple[Variant, ...] = ()
    problem: str = ""

    @property
    def facts(self) -> StatementFacts:
        """The facts of the first variant."""
        return self.variants[0].facts if self.variants else StatementFacts(problem=self.problem)


class Reader:
    """Prepares the statements of one schema."""

    def __init__(self, catalog: Catalog, statistics: Statistics) -> None:
        self._catalog = catalog
        self._statistics = statistics
        self._columns = _columns(catalog)
        self._is_constant = _constants(catalog, statistics)

    def prepare(self, statement: WorkloadStatement) -> Prepared:
        """Return what is known of a statement before a planner is asked. Never raises."""
        if statement.exemplar is None:
            return Prepared(statement, problem=NO_TEXT)
        try:
            return self._prepare(statement)
        except Exception as error:  # noqa: BLE001  one statement that is not understood must not cost the others
            return Prepared(statement, problem=f"dbguard failed at it ({type(error).__name__})")

    def _prepare(self, statement: WorkloadStatement) -> Prepared:
        from pytest_dbguard.sql.explainable import explainables

        exemplar = statement.exemplar
        assert exemplar is not None
        dialect = self._catalog.dialect.value
        texts = explainables(
            exemplar.text, exemplar.style, exemplar.values, dialect=dialect, constants=self._is_constant
        )
        variants = [self._variant(text) for text in texts]
        understood = tuple(variant for variant in variants if variant.facts.is_analysed)
        if understood:
            return Prepared(statement, _of_all_places(statement, understood))
        return Prepared(statement, problem=variants[0].facts.problem if variants else NOT_EXPLAINABLE)

    def _variant(self, text: Explainable) -> Variant:
        # the parser behind them is only paid for by who needs it
        from pytest_dbguard.planning.candidates.driving import proposals
        from pytest_dbguard.planning.candidates.unused_joins import unused_joins
        from pytest_dbguard.sql.facts.statement import parsed
        from pytest_dbguard.sql.lint.statement import marks_of

        sql = text.sql
        read = parsed(sql, dialect=self._catalog.dialect.value, columns=self._columns)
        facts = read.facts
        if not facts.is_analysed:
            return Variant(sql, facts)
        found = proposals(facts, self._catalog, self._statistics, sql)
        return Variant(
            sql,
            facts,
            found.wanted,
            found.unusable,
            unused_joins(facts, self._catalog, sql=sql),
            _placed(marks_of(read, sql), text),
        )


def _placed(marks: Iterable[LintMark], text: Explainable) -> tuple[LintMark, ...]:
    """Return marks with their positions in the text as the driver got it."""
    return tuple(
        mark if mark.position is None else replace(mark, position=text.original(mark.position)) for mark in marks
    )


def _of_all_places(statement: WorkloadStatement, variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
    """Leave out what only some constants or patterns ask for where several places run the statement.

    Which place sent which of them is not known: one may look for a beginning, another one inside of texts.
    """
    if len(variants) == 1 or len({use.site for use in statement.uses}) == 1:
        return variants
    wanted = frozenset.intersection(*(frozenset(map(_what, each.wanted)) for each in variants))
    unusable = frozenset.intersection(*(frozenset(map(_which, each.unusable)) for each in variants))
    return tuple(
        replace(
            variant,
            wanted=tuple(each for each in variant.wanted if _what(each) in wanted),
            unusable=tuple(each for each in variant.unusable if _which(each) in unusable),
        )
        for variant in variants
    )


def _what(wanted: Wanted) -> tuple[object, ...]:
    return wanted.spec, wanted.alias, wanted.query


def _which(unusable: Unusable) -> tuple[object, ...]:
    return unusable.obstacle, unusable.alias, unusable.query, unusable.term.column


def _columns(catalog: Catalog) -> Mapping[str, Sequence[str]]:
    """Return the columns of all tables, by name and by name with schema."""
    names = (name for table in catalog.tables for name in (table.name, f"{table.schema}.{table.name}"))
    return catalog.columns_of(name for name in names if not name.startswith("."))


def _constants(catalog: Catalog, statistics: Statistics) -> Callable[[str], bool]:
    """Return whether the values of a column decide a plan: those of partial indexes, and those that are counted."""
    names = {
        column.name
        for table in catalog.tables
        for index in table.indexes
        for column in table.columns
        if index.predicate and re.search(rf"\b{re.escape(column.name)}\b", index.predicate)
    }
    names |= {
        column.name
        for table in statistics.tables
        for column in table.columns
        if any(slot.kind == 1 and slot.values is not None for slot in column.slots)
    }
    return names.__contains__
