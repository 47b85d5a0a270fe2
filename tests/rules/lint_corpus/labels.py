"""Loads the statements that are labelled for the rules about how statements are written, and judges them."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from pytest_dbguard.planning.assess import assess
from pytest_dbguard.planning.lab.base import Lab
from pytest_dbguard.planning.statistics.completion import completed
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.statistics.scale import ScaleSettings, statistics_from_scale
from pytest_dbguard.planning.workload import Call, Exemplar, Use, Workload, WorkloadStatement
from pytest_dbguard.rules.registry import find_rule
from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.sql.shape import Shape, read_statement
from tests.planning.corpus.corpus import SCHEMAS, catalog, exemplar_of, names_of
from tests.planning.corpus.verdicts import Score

HERE = Path(__file__).parent
LINTED = tuple(f"DBG4{number:02}" for number in range(1, 14))
"""Rules whose truth is labelled."""

BESIDE = ("DBG201", "DBG203")
"""Rules that may tell a fact instead of one of those."""

PARTS = ("", "_sql", "_hard", "_wild")
"""Files of each schema."""

COMPILED, WRITTEN = "SQLAlchemy", "written by hand"


@dataclass(frozen=True, eq=False)
class Label:
    """One statement on one database, and what is to be said of it.

    `expect` holds the rules that must speak: each a rule, or rules of which one must.
    """

    schema: str
    name: str
    dialect: Dialect
    written_by: str
    exemplar: Exemplar
    expect: frozenset[tuple[str, ...]] = frozenset()
    call: Call | None = None

    @property
    def style(self) -> str:
        return f"{self.written_by}, {self.dialect.value}" if self.written_by == COMPILED else self.written_by

    @property
    def label(self) -> str:
        return f"{self.schema}, {self.style}: {self.name}"


@cache
def labels() -> tuple[Label, ...]:
    """Return every labelled statement."""
    return tuple(_labels())


def _labels() -> Iterator[Label]:
    for schema in SCHEMAS:
        names = names_of(schema)
        for part in PARTS:
            for each in document(schema + part)["case"]:
                yield from _compiled(schema, each, names) if "code" in each else [_written(schema, each)]


def _compiled(schema: str, case: Mapping, names: dict[str, object]) -> Iterator[Label]:
    for dialect in Dialect:
        if case.get("only", dialect.value) == dialect.value:
            yield _label(schema, case, dialect, COMPILED, exemplar_of(eval(case["code"], names), dialect))


def _written(schema: str, case: Mapping) -> Label:
    dialect = Dialect(case.get("dialect", Dialect.POSTGRESQL))
    style = case.get("style", "qmark" if dialect is Dialect.SQLITE else "named")
    return _label(schema, case, dialect, WRITTEN, Exemplar(case["sql"].strip(), style, _values(case)))


def _label(schema: str, case: Mapping, dialect: Dialect, written_by: str, exemplar: Exemplar) -> Label:
    longest = case.get("longest_list", read_statement(exemplar.text).longest_list)
    exemplar = Exemplar(exemplar.text, exemplar.style, exemplar.values, longest)
    call = Call(tuple(case["call"]), case.get("used_as", "")) if "call" in case else None
    expect = frozenset(tuple(each.split("/")) for each in case.get("expect", ()))
    return Label(schema, case["name"], dialect, written_by, exemplar, expect, call)


def _values(case: Mapping) -> Mapping[int, tuple]:
    values = {int(at): tuple(None if v == "NULL" else v for v in seen) for at, seen in case.get("values", {}).items()}
    return MappingProxyType(values)


@cache
def document(name: str) -> dict:
    """Return one of the files of labels."""
    return tomllib.loads((HERE / f"{name}.toml").read_text())


def statistics(schema: str, made: Catalog) -> Statistics:
    """Return the sizes that the labels of a schema declare."""
    return completed(statistics_from_scale(ScaleSettings.of(document(schema)["scale"])), made)


def judged(found: Iterable[Label], lab_of=None) -> dict[Label, frozenset[str]]:
    """Return which rules speak of each statement; those on one database of one schema are judged as one run.

    `lab_of(catalog, statistics)` gives a lab; None judges without a planner.
    """
    groups: dict[tuple[str, Dialect], list[Label]] = defaultdict(list)
    for label in found:
        groups[label.schema, label.dialect].append(label)
    said: dict[Label, frozenset[str]] = {}
    for (schema, dialect), members in groups.items():
        made = catalog(schema, dialect)
        sizes = statistics(schema, made)
        lab = lab_of(made, sizes) if lab_of is not None else None
        said |= _said(members, made, sizes, lab)
        if lab is not None:
            lab.close()
    return said


def _said(members: list[Label], made: Catalog, sizes: Statistics, lab: Lab | None) -> dict[Label, frozenset[str]]:
    by_id = {f"{number:04}": label for number, label in enumerate(members)}
    workload = Workload("labels", tuple(_statement(key, label) for key, label in by_id.items()))
    assessment = assess(workload, made, sizes, lab, no_lab="" if lab else "nobody asked", deadline_s=300)
    assert not assessment.not_analysed, {
        by_id[each.statement.shape.id].label: each.problem for each in assessment.statements if each.problem
    }
    found: dict[str, set[str]] = {key: set() for key in by_id}
    for code in (*LINTED, *BESIDE):
        rule = find_rule(code)
        for finding in rule(rule.options_model()).judge(assessment):
            found[finding.shape.id].add(code)
    return {label: frozenset(found[key]) for key, label in by_id.items()}


def _statement(key: str, label: Label) -> WorkloadStatement:
    use = Use(None, 1, ("test_labels.py::test",), call=label.call)
    verb = read_statement(label.exemplar.text).verb
    return WorkloadStatement(Shape(key, label.exemplar.text), label.exemplar, (use,), verb)


def scores(said: Mapping[Label, frozenset[str]]) -> dict[str, Score]:
    """Return the score of each rule.

    A fact that another rule tells is right where its label allows that; one that is told twice is wrong.
    """
    result = {code: Score() for code in LINTED}
    for label, codes in said.items():
        wanted = {code: alternatives for alternatives in label.expect for code in alternatives}
        for alternatives in label.expect:
            told = [code for code in alternatives if code in codes]
            score = result[alternatives[0]]
            if told:
                score.right += 1
            else:
                score.missing.append(label.label)
            if len(told) > 1:
                score.wrong.append(f"{label.label} (told twice)")
        for code in codes & set(LINTED):
            if code not in wanted:
                result[code].wrong.append(label.label)
    return result
