"""What is said of the labelled statements: by reading them only, and with a planner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pytest_dbguard.core.findings import Shape
from pytest_dbguard.planning.assess import assess
from pytest_dbguard.planning.assessment import Assessment
from pytest_dbguard.planning.lab.base import Lab
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.workload import Use, Workload, WorkloadStatement
from pytest_dbguard.rules.registry import find_rule
from pytest_dbguard.schema.catalog import Catalog
from tests.planning.corpus.corpus import Case

JUDGED = ("DBG201", "DBG203", "DBG204", "DBG302", "DBG304")


def said(
    cases: Iterable[Case], catalog: Catalog, statistics: Statistics, lab: Lab | None
) -> tuple[dict[Case, frozenset[str]], Assessment]:
    """Return what the rules say of each statement, as "DBG201 orders.city"; all of them are judged as one run."""
    by_id = {f"{number:04}": case for number, case in enumerate(cases)}
    use = Use(None, 1, ("test_corpus.py::test",))
    workload = Workload(
        "corpus",
        tuple(
            WorkloadStatement(Shape(key, case.name), case.exemplar, (use,), case.exemplar.text.split()[0].upper())
            for key, case in by_id.items()
        ),
    )
    assessment = assess(workload, catalog, statistics, lab, no_lab="" if lab else "nobody asked", deadline_s=300)
    found: dict[str, set[str]] = defaultdict(set)
    for code in JUDGED:
        rule = find_rule(code)
        for finding in rule(rule.options_model()).judge(assessment):  # type: ignore[attr-defined]
            assert finding.shape is not None
            found[finding.shape.id].add(f"{finding.rule} {finding.subject}")
    return {case: frozenset(found[key]) for key, case in by_id.items()}, assessment


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
