"""Gathers what the tests of a run ran on which schema, from any number of processes, and makes workloads of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pytest_dbguard.analysis.observations import LearnedText, Observation, merge_texts, texts_to_json
from pytest_dbguard.analysis.schema_watch import SchemaReader
from pytest_dbguard.core.findings import Site
from pytest_dbguard.core.ignores import Ignore
from pytest_dbguard.planning.workload import Exemplar, Use, Workload, WorkloadStatement
from pytest_dbguard.recording.exemplars import MAX_VALUES, Exemplars
from pytest_dbguard.recording.literal_sets import MAX_SETS
from pytest_dbguard.schema.catalog import Catalog
from pytest_dbguard.sql.shape import read_statement

NO_SCHEMA = "its schema could not be read"
NO_TEXT = "too many different statements"
_STYLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "sqlite": frozenset({"qmark", "numeric", "named"}),
        "postgresql": frozenset({"format", "pyformat", "numeric_dollar", "named", "qmark"}),
    }
)

Place = tuple[str, str, Site | None]
"""Schema, shape and site: where statement ignores are looked up."""


@dataclass(slots=True)
class Observed:
    """What is known so far.

    Attributes:
        catalogs: By id.
    """

    catalogs: dict[str, Catalog] = field(default_factory=dict)
    _tests: dict[str, tuple[Observation, ...]] = field(default_factory=dict)
    _texts: dict[tuple[str, str], LearnedText] = field(default_factory=dict)

    def take(self, test: str, observations: Iterable[Observation]) -> None:
        """Take in what a test ran; what it ran before, when it is run again, counts no more."""
        self._tests[test] = tuple(observations)

    def learn(self, catalogs: Mapping[str, Catalog], texts: Iterable[list[Any]]) -> None:
        """Take in what a process knows of schemas and of the texts of shapes."""
        self.catalogs |= catalogs
        merge_texts(self._texts, texts, MAX_VALUES)

    def workloads(self, tests: Collection[str] | None = None) -> tuple[Workload, ...]:
        """Return what ran, a workload for each schema, the one with most shapes first; of these tests only."""
        by_schema: dict[str, dict[str, list[tuple[str, Observation]]]] = {}
        texts = self._texts_by_shape()
        for test in sorted(self._tests):
            for seen in self._tests[test] if tests is None or test in tests else ():
                by_schema.setdefault(seen.schema, {}).setdefault(seen.shape_id, []).append((test, seen))
        unread = len(by_schema.pop("", {}))
        found = [self._workload(schema, shapes, texts) for schema, shapes in by_schema.items()]
        found.sort(key=lambda workload: (-len(workload.statements), workload.schema_id))
        if unread:
            found.append(Workload("", skipped=MappingProxyType({NO_SCHEMA: unread})))
        return tuple(found)

    def ignores(self) -> Mapping[Place, Mapping[str, frozenset[Ignore]]]:
        """Return what silences statements at a place, by test; a test is missing where nothing does."""
        found: dict[Place, dict[str, frozenset[Ignore]]] = {}
        for test, observations in self._tests.items():
            for seen in observations:
                of_place = found.setdefault((seen.schema, seen.shape_id, seen.site), {})
                given = frozenset(seen.ignores)
                of_place[test] = of_place[test] & given if test in of_place else given
        return found

    def _workload(
        self,
        schema: str,
        shapes: Mapping[str, list[tuple[str, Observation]]],
        texts: Mapping[str, Mapping[str, LearnedText]],
    ) -> Workload:
        statements, skipped = [], Counter[str]()
        dialect = self.catalogs[schema].dialect if schema in self.catalogs else ""
        for shape_id in sorted(shapes):
            learned = _best(texts.get(shape_id, {}), dialect)
            if learned is None:
                skipped[NO_TEXT] += 1
                continue
            text = read_statement(learned.text)
            statements.append(WorkloadStatement(text.shape, _exemplar(learned), _uses(shapes[shape_id]), text.verb))
        return Workload(schema, tuple(statements), MappingProxyType(dict(skipped)))

    def _texts_by_shape(self) -> Mapping[str, Mapping[str, LearnedText]]:
        found: dict[str, dict[str, LearnedText]] = {}
        for (shape_id, style), learned in self._texts.items():
            found.setdefault(shape_id, {})[style] = learned
        return found


def process_knowledge(reader: SchemaReader, exemplars: Exemplars) -> tuple[Mapping[str, Catalog], list[list[Any]]]:
    """Return what this process knows, as `Observed.learn` takes it."""
    return reader.catalogs, texts_to_json(exemplars)


def _best(texts: Mapping[str, LearnedText], dialect: str) -> LearnedText | None:
    """Return the text in a style that drivers of the database take, where there is one."""
    fitting = sorted(style for style in texts if style in _STYLES.get(dialect, ()))
    return texts[(fitting or sorted(texts))[0]] if texts else None


def _exemplar(learned: LearnedText) -> Exemplar:
    values = {at: tuple(sorted(seen, key=repr)) for at, seen in learned.values.items() if at not in learned.given_up}
    literal_sets = min(max(len(learned.literal_sets), 1), MAX_SETS)
    return Exemplar(learned.text, learned.style, MappingProxyType(values), learned.longest_list, literal_sets)


def _uses(seen: list[tuple[str, Observation]]) -> tuple[Use, ...]:
    groups: dict[tuple[Site | None, bool], list[tuple[str, Observation]]] = {}
    for test, observation in seen:
        groups.setdefault((observation.site, observation.in_test_code), []).append((test, observation))
    uses = [
        Use(
            site,
            sum(each.count for _, each in found),
            tuple(sorted({test for test, _ in found})),
            in_test_code,
            min(each.scope for _, each in found),
        )
        for (site, in_test_code), found in groups.items()
    ]
    return tuple(sorted(uses, key=lambda use: (-use.count, use.site is None, repr(use.site))))
