"""Loads `cases/lint/*.toml`: statements as they are sent to each database, with what one rule says of them.

A file names its `rule`. A case has `code` (SQLAlchemy) or `sql` (text, its parameters as `:name`, their
`values`, `nulls` those that are NULL), and
`expect`: the subjects that are told, none where it is left out; `sqlite` and `postgresql` tell what differs there.
`schema` is that of the labelled statements (shop or desk), or "none" for no schema at all; `scale` declares sizes,
`options` are the rule's, `call` names the methods that the source shows, `used_as` and `interpolated` are what it shows
besides, `is_run` is false for what was read from source, `longest_list` and `literal_sets` are of all texts, `says`
stands in the message of each finding, `severity` is that of each. `only` names the one database that is asked.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pytest_dbguard.core.findings import Finding, Shape
from pytest_dbguard.planning.assess import assess
from pytest_dbguard.planning.statistics.model import Statistics
from pytest_dbguard.planning.statistics.scale import ScaleSettings, statistics_from_scale
from pytest_dbguard.planning.workload import Call, Use, Workload, WorkloadStatement
from pytest_dbguard.rules.registry import find_rule
from pytest_dbguard.schema.catalog import Catalog, Dialect
from tests.planning.corpus import corpus

HERE = Path(__file__).parent / "cases" / "lint"


@dataclass(frozen=True)
class LintCase:
    """One statement on one database."""

    rule: str
    name: str
    dialect: Dialect
    given: dict[str, Any] = field(hash=False)

    @property
    def expect(self) -> list[str]:
        """The subjects that are to be told."""
        return sorted(self.given.get(self.dialect.value, self.given.get("expect", [])))

    @property
    def label(self) -> str:
        return f"{self.rule}-{self.dialect.value}-{self.name}".replace(" ", "_")


def lint_cases() -> Iterator[LintCase]:
    """Yield each statement on each database."""
    for path in sorted(HERE.glob("*.toml")):
        document = tomllib.loads(path.read_text())
        for given in document["case"]:
            for dialect in Dialect:
                if given.get("only", dialect.value) == dialect.value:
                    yield LintCase(document["rule"], given["name"], dialect, given)


def findings(case: LintCase) -> list[Finding]:
    """Return what the rule says, without a planner."""
    given, schema = case.given, case.given.get("schema", "shop")
    catalog = _catalog(schema, case.dialect)
    uses = (Use(None, 1, ("t",) if given.get("is_run", True) else (), call=_call(given)),)
    exemplar = corpus.exemplar_of(_statement(given, "shop" if schema == "none" else schema), case.dialect)
    told = {name: given[name] for name in ("longest_list", "literal_sets") if name in given}
    exemplar = replace(exemplar, **told)
    workload = Workload("s", (WorkloadStatement(Shape("x", ""), exemplar, uses),))
    scale = given.get("scale")
    statistics = statistics_from_scale(ScaleSettings.of(scale)) if scale else Statistics()
    assessment = assess(workload, catalog, statistics, None)
    assert [each.problem for each in assessment.statements] == [""]
    rule = find_rule(case.rule)
    return list(rule(rule.options_model(**given.get("options", {}))).judge(assessment))


def _call(given: dict[str, Any]) -> Call | None:
    if not given.keys() & {"call", "used_as", "interpolated"}:
        return None
    return Call(tuple(given.get("call", ())), given.get("used_as", ""), given.get("interpolated", ""))


@cache
def _catalog(schema: str, dialect: Dialect) -> Catalog:
    return Catalog(dialect) if schema == "none" else corpus.catalog(schema, dialect)


def _statement(given: dict[str, Any], schema: str) -> Any:
    if "sql" not in given:
        return eval(given["code"], corpus.names_of(schema))
    nulls = dict.fromkeys(given.get("nulls", ()))
    return sa.text(given["sql"]).bindparams(**given.get("values", {}), **nulls)
