"""How near the lab's plans come to those of the database with rows: shapes and costs, rung by rung."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from plans_databases import Populated, shape
from plans_rungs import RUNGS, lab_of
from plans_tables import print_table
from plans_tpch_queries import Query

from pytest_dbguard.planning.lab.base import Lab, LabError, Rung
from pytest_dbguard.planning.plan import Plan
from pytest_dbguard.planning.statistics.model import Statistics

HEAD = ("lab", "values", "same plan", "generic", "cost ratio min/median/max", "<= 1 %")


@dataclass(slots=True)
class _Score:
    """What comparing plans of one kind gave."""

    same: int
    total: int
    ratios: list[float]

    @property
    def label(self) -> str:
        return f"{self.same}/{self.total}"


def measure(source: Populated, queries: Sequence[Query]) -> None:
    """Print for each rung, and for statistics without values, how many plans are those of the database with rows."""
    texts = {
        "literal": [query.literal(seed) for seed in (0, 1) for query in queries],
        "generic": [query.generic() for query in queries],
    }
    real = {kind: [source.explain(text) for text in each] for kind, each in texts.items()}
    rows = []
    for rung in RUNGS:
        rows.append(_row(source, source.full, rung, "all", texts, real))
    rows.append(_row(source, source.scrubbed, Rung.FORGED, "none", texts, real))
    print_table(f"Fidelity on PostgreSQL {source.server.version}", HEAD, [row for row in rows if row])


def _row(
    source: Populated,
    statistics: Statistics,
    rung: Rung,
    values: str,
    texts: dict[str, list[str]],
    real: dict[str, list[Plan]],
) -> tuple[str, ...]:
    try:
        with lab_of(rung, source.server, source.catalog, statistics) as lab:
            literal, generic = (_score(lab, texts[kind], real[kind]) for kind in ("literal", "generic"))
    except LabError as error:
        return (str(rung), values, str(error)[:40], "", "", "")
    ratios = sorted([*literal.ratios, *generic.ratios])
    spread = f"{ratios[0]:.4f} / {median(ratios):.4f} / {ratios[-1]:.4f}"
    near = sum(abs(ratio - 1) <= 0.01 for ratio in ratios)
    return (str(rung), values, literal.label, generic.label, spread, f"{near}/{len(ratios)}")


def _score(lab: Lab, texts: Sequence[str], real: Sequence[Plan]) -> _Score:
    score = _Score(0, len(texts), [])
    for text, wanted in zip(texts, real, strict=True):
        found = lab.explain(text)
        assert found.plan is not None, found.problem
        score.same += shape(found.plan) == shape(wanted)
        score.ratios.append((found.plan.cost or 0.0) / (wanted.cost or 1.0))
    return score
