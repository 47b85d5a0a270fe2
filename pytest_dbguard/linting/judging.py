"""Judges what sources hold by the rules about statements, schemas and migrations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_dbguard.analysis.judge import ActiveRule, weight
from pytest_dbguard.analysis.plan_sources import PlanSources
from pytest_dbguard.analysis.plans import judges_plans, lab_line, where_it_broke
from pytest_dbguard.core.errors import DbguardError
from pytest_dbguard.core.findings import Finding, Site
from pytest_dbguard.core.verdict import Fault
from pytest_dbguard.linting.workloads import SourceWorkload
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.planning.workload import Workload
from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.schema.migration import Migration
from pytest_dbguard.sql.facts.model import StatementFacts
from pytest_dbguard.sql.shape import StatementText

MAX_STATEMENTS = 50_000
DEADLINE_S = 600.0
"""Seconds for all statements; nobody waits longer, and what is left then is told."""
PART = "only a part of the text is known"
_ON_PARTS = frozenset({"DBG701"})
"""Rules that need no more of a text than what is put into it."""


@dataclass(slots=True)
class Judged:
    """What was found, weighed and not yet placed, and what there is to tell of it.

    Attributes:
        findings: With the sites of their statements.
        faults: Errors of rules.
        labs: How statements were planned.
        not_analysed: Numbers of shapes on known schemas by the reason why nothing is said of them.
        unread: The same of statements in sources, by their files; of those without a place under "".
        drift: How statistics and schema differ.
        is_weaker: Whether a lab was wanted and could not be had.
    """

    findings: list[Finding] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    labs: list[str] = field(default_factory=list)
    not_analysed: Counter[str] = field(default_factory=Counter)
    unread: dict[str, Counter[str]] = field(default_factory=dict)
    drift: tuple[str, ...] = ()
    is_weaker: bool = False


class SourceJudge:
    """Judges workloads and migrations. Faults of rules are kept, not raised."""

    def __init__(self, rules: Iterable[ActiveRule], sources: PlanSources, *, is_whole: bool = False) -> None:
        """Make the judge.

        Args:
            rules: The active rules.
            sources: Gives statistics and labs.
            is_whole: Whether the workload is all that the application does; rules about what nothing does say nothing
                otherwise.
        """
        self._all = tuple(rules)
        plan_rules = (each for each in self._all if judges_plans(each.rule))
        self._rules = tuple(each for each in plan_rules if is_whole or not getattr(each.rule, "needs_whole_run", False))
        self._sources = sources
        self.judged = Judged()

    def judge(self, workload: Workload, catalog: Catalog, *, judges_schema: bool = False) -> None:
        """Judge statements on a schema that is known, in a lab where one can be made; and perhaps the schema itself."""
        assessment = self._assessed(workload, catalog, has_lab=bool(catalog.tables))
        self._take(replace(assessment, judges_schema=judges_schema), self._rules)
        self._tell(assessment)

    def judge_texts(self, workload: SourceWorkload, others: Sequence[Dialect] = ()) -> None:
        """Judge statements without any schema; those that cannot be read are read once more as another dialect's."""
        left = workload.whole
        for dialect in (workload.dialect, *others):
            assessment = self._assessed(left, Catalog(dialect), has_lab=False)
            unread = tuple(each.statement for each in assessment.statements if not each.facts.is_analysed)
            left = replace(left, statements=unread)
            if dialect is workload.dialect:
                first = assessment
            read = tuple(each for each in assessment.statements if each.facts.is_analysed)
            self._take(replace(assessment, statements=read), self._rules)
            if not unread:
                break
        problems = {id(each.statement): each.problem for each in first.statements}
        for statement in left.statements:
            for file in {use.site.file if use.site is not None else "" for use in statement.uses}:
                self.judged.unread.setdefault(file, Counter())[problems.get(id(statement), "not readable")] += 1

    def judge_unknown(self, workload: Workload, dialect: Dialect) -> None:
        """Judge statements that ran on a schema that nobody knows."""
        self.judge_texts(SourceWorkload(dialect, workload, Workload(workload.schema_id)))

    def judge_parts(self, workload: SourceWorkload, catalog: Catalog) -> None:
        """Judge what is put into texts that are not known as a whole."""
        facts = StatementFacts(problem=PART)
        statements = tuple(AssessedStatement(each, facts, problem=PART) for each in workload.parts.statements)
        if statements:
            assessment = Assessment(catalog, self._sources.declared, statements)
            self._take(assessment, (each for each in self._rules if each.rule.code in _ON_PARTS))

    def judge_alone(self, text: StatementText, site: Site, *, in_test_code: bool) -> None:
        """Judge one statement by its text alone."""
        for active in self._all:
            of_text: Callable[[StatementText], Finding | None] | None = getattr(active.rule, "of_text", None)
            if of_text is not None:
                self._keep(active, lambda of_text=of_text: _at(of_text(text), site, in_test_code))  # type: ignore[misc]

    def review(self, migration: Migration) -> None:
        """Judge a script that changes a schema."""
        for active in self._all:
            review: Callable[[Migration], Iterable[Finding]] | None = getattr(active.rule, "review", None)
            if review is not None:
                self._keep(active, lambda review=review: review(migration))  # type: ignore[misc]

    def close(self) -> None:
        """Stop the server that labs needed, if any."""
        self._sources.close()

    def _assessed(self, workload: Workload, catalog: Catalog, *, has_lab: bool) -> Assessment:
        from pytest_dbguard.planning.assess import assess

        options: dict[str, Any] = {"deadline_s": DEADLINE_S, "most": MAX_STATEMENTS}
        if not has_lab:
            return assess(workload, catalog, self._sources.declared, None, **options)
        statistics = self._sources.statistics_for(catalog)
        choice = self._sources.open_lab(catalog, statistics)
        self.judged.is_weaker |= choice.lab is None and self._sources.lab != "off"
        drift = self._sources.drift_from(catalog)
        try:
            no_lab = "" if choice.lab is not None else choice.reason
            return assess(workload, catalog, statistics, choice.lab, no_lab=no_lab, drift=drift, **options)
        finally:
            if choice.lab is not None:
                with suppress(DbguardError):
                    choice.lab.close()

    def _take(self, assessment: Assessment, rules: Iterable[ActiveRule]) -> None:
        for active in rules:
            self._keep(active, lambda active=active: active.rule.judge(assessment))  # type: ignore[misc]

    def _keep(self, active: ActiveRule, judge: Callable[[], Iterable[Finding]]) -> None:
        try:
            self.judged.findings += _weighed(judge(), active)
        except Exception as error:  # noqa: BLE001  a broken rule must not cost what the others find
            fault = Fault(f"rule {active.rule.code}", where_it_broke(error))
            if fault not in self.judged.faults:
                self.judged.faults.append(fault)

    def _tell(self, assessment: Assessment) -> None:
        line = lab_line(assessment)
        if line and line not in self.judged.labs:
            self.judged.labs.append(line)
        self.judged.not_analysed.update(assessment.not_analysed)
        self.judged.drift = assessment.drift


def _at(finding: Finding | None, site: Site, in_test_code: bool) -> tuple[Finding, ...]:
    return () if finding is None else (replace(finding, site=site, in_test_code=in_test_code),)


def _weighed(findings: Iterable[Finding], active: ActiveRule) -> Iterator[Finding]:
    return (replace(finding, severity=weight(finding, active)) for finding in findings)
