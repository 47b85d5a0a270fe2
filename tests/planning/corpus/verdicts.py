"""What is said of the labelled statements: by reading them only, and with a planner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

from pytest_dbguard.core.findings import Finding, Shape, Site
from pytest_dbguard.planning.assess import assess
from pytest_dbguard.planning.assessment import Assessment
from pytest_dbguard.planning.lab.base import Lab
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.workload import Exemplar, Use, Workload, WorkloadStatement
from pytest_dbguard.rules.registry import find_rule
from pytest_dbguard.schema.catalog import Catalog
from pytest_dbguard.sql.shape import read_statement
from tests.planning.corpus.corpus import Case, lookups

SITE = Site("corpus.py", 1, 1, "corpus")


def said(
    cases: Iterable[Case], catalog: Catalog, statistics: Statistics, lab: Lab | None
) -> tuple[dict[Case, frozenset[str]], Assessment]:
    """Return what the rules say of each statement, as "DBG201 orders.city"; all of them are judged as one run."""
    by_id = {f"{number:04}": case for number, case in enumerate(cases)}
    assessment = _assessed({key: case.exemplar for key, case in by_id.items()}, catalog, statistics, lab)
    found: dict[str, set[str]] = defaultdict(set)
    for code in {code for case in by_id.values() for code in case.rules} - {"DBG301"}:
        for finding in _findings(code, assessment):
            assert finding.shape is not None
            if code in by_id[finding.shape.id].rules:
                found[finding.shape.id].add(f"{finding.rule} {finding.subject}")
    for key, case in by_id.items():
        if "DBG301" in case.rules:
            found[key] |= _products(case.exemplar)
    return {case: frozenset(found[key]) for key, case in by_id.items()}, assessment


def said_of_schema(
    case: Case, cases: Iterable[Case], catalog: Catalog, statistics: Statistics, lab: Lab | None
) -> frozenset[str]:
    """Return what the rules say of the keys and indexes of a schema.

    Keys are judged in a run that only looks rows up, since others report a key's columns where a statement wants them;
    indexes in a run of all the statements.
    """
    reads = [*(each.exemplar for each in cases), *(found := lookups(case.schema, case.dialect))]
    runs = {("DBG202",): found, ("DBG205", "DBG206"): reads}
    said: set[str] = set()
    for codes, exemplars in runs.items():
        by_id = {f"{number:04}": exemplar for number, exemplar in enumerate(exemplars)}
        assessment = _assessed(by_id, catalog, statistics, lab)
        said |= {f"{each.rule} {each.subject}" for code in codes for each in _findings(code, assessment)}
    return frozenset(said)


def _assessed(
    exemplars: Mapping[str, Exemplar], catalog: Catalog, statistics: Statistics, lab: Lab | None
) -> Assessment:
    use = Use(None, 1, ("test_corpus.py::test",))
    statements = (
        WorkloadStatement(Shape(key, exemplar.text), exemplar, (use,), exemplar.text.split()[0].upper())
        for key, exemplar in exemplars.items()
    )
    workload = Workload("corpus", tuple(statements))
    return assess(workload, catalog, statistics, lab, no_lab="" if lab else "nobody asked", deadline_s=300)


def _findings(code: str, assessment: Assessment) -> Iterable[Finding]:
    rule = find_rule(code)
    return rule(rule.options_model()).judge(assessment)  # type: ignore[attr-defined]


def _products(exemplar: Exemplar) -> set[str]:
    """Return what cartesian-product says, which judges what a test records and asks no planner."""
    stack = SimpleNamespace(frames=(SimpleNamespace(in_test_code=False),), site=SITE)
    statement = SimpleNamespace(text=read_statement(exemplar.text), stack=stack, in_flush=False, number=0)
    rule = find_rule("DBG301")
    drafts = rule(rule.options_model()).check(SimpleNamespace(statements=[statement]), SimpleNamespace())
    return {f"{draft.finding.rule} {draft.finding.subject}" for draft in drafts}


@dataclass
class Score:
    """Counts of one rule: right findings, wrong ones, and those that are missing."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right / ((self.right + len(self.wrong)) or 1)

    @property
    def recall(self) -> float:
        return self.right / ((self.right + len(self.missing)) or 1)


def scores(found: Mapping[Case, frozenset[str]]) -> dict[str, Score]:
    """Return the score of each rule, and of all together."""
    result: dict[str, Score] = defaultdict(Score)
    for case, got in found.items():
        for text in got | case.expect:
            for score in (result[text.split()[0]], result["all"]):
                if text in got and text in case.expect:
                    score.right += 1
                else:
                    (score.wrong if text in got else score.missing).append(f"{case.label}: {text}")
    return dict(sorted(result.items()))
