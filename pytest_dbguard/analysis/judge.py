"""Runs the rules over one recording: most specific first, each statement in one finding at most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_dbguard.analysis.pool import fact_id
from pytest_dbguard.analysis.statement_ignores import silencing
from pytest_dbguard.config.table import field_name, read_table
from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.core.ignores import Ignore
from pytest_dbguard.core.verdict import Fault
from pytest_dbguard.recording.loops import LoopFinder
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.recording.ownership import is_seeding
from pytest_dbguard.rules.base import Context, Rule, RuleOptions, Stage
from pytest_dbguard.rules.registry import codes_matching, find_rule, load_rules

_UNITTEST_FIXTURES = frozenset(
    {
        "setUp",
        "setUpClass",
        "tearDown",
        "tearDownClass",
        "asyncSetUp",
        "asyncTearDown",
        "setUpModule",
        "tearDownModule",
    }
)


@dataclass(frozen=True, slots=True)
class ActiveRule:
    """A rule with its options, and the severity that the configuration gives its findings."""

    rule: Rule
    severity: Severity


@dataclass(slots=True)
class Judge:
    """Judges recordings one by one; faults of rules are kept, not raised.

    Attributes:
        rules: The rules, most specific first.
        faults: Errors of rules, each once.
        silenced: Ids of the facts that were left out since their statements are not to be reported.
        used: What silenced them.
    """

    rules: tuple[ActiveRule, ...]
    faults: list[Fault] = field(default_factory=list)
    silenced: set[str] = field(default_factory=set)
    used: set[Ignore] = field(default_factory=set)
    _loops: LoopFinder = field(default_factory=LoopFinder)

    def judge(self, recording: Recording) -> list[Finding]:
        """Return the findings of one recording. A rule that raises is left out and becomes a fault."""
        if not recording.count and recording.max_queries is None and not recording.open_connections:
            return []
        claimed: frozenset[int] = frozenset()
        findings: list[Finding] = []
        for active in self.rules:
            try:
                drafts = list(active.rule.check(recording, Context(self._loops, claimed)))
            except Exception as error:  # noqa: BLE001  a broken rule must not cost a test result
                self._keep_fault(active.rule, error)
                continue
            for draft in drafts:
                claimed |= draft.statements
                ignores = silencing(draft.finding, draft.statements | draft.about, recording)
                if ignores:
                    self.silenced.add(fact_id(draft.finding))
                    self.used |= set(ignores)
                    continue
                findings.append(_complete(draft.finding, active, recording))
        return findings

    def _keep_fault(self, rule: Rule, error: Exception) -> None:
        fault = Fault(f"rule {rule.code}", f"{type(error).__name__}: {error}")
        if fault not in self.faults:
            self.faults.append(fault)


def active_rules(
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    preview: bool = False,
    tables: Mapping[str, Mapping[str, Any]] | None = None,
    slow_ms: float | None = None,
    place: str = "options",
) -> tuple[ActiveRule, ...]:
    """Return the rules that a configuration asks for, with validated options.

    Rules in preview report notes unless `preview` is on or they are selected by name. A finding's severity is the
    option's, else the rule's. `place` is where the tables were read, for messages. `slow_ms` wins
    over the option of slow-query.

    Raises:
        ConfigError: For an unknown rule, an unknown option or a wrong value.
    """
    chosen = codes_matching(select) if select else codes_matching(["ALL"])
    # a word with a subject leaves its rule on: `setting_ignores` reads it
    chosen -= codes_matching(word for word in ignore if ":" not in word)
    options = _options(tables or {}, slow_ms, place)
    named = {word.upper() for word in select} | {word.lower() for word in select}
    active = []
    for rule in load_rules():
        if rule.code not in chosen:
            continue
        severity = options[rule.code].severity or rule.severity
        if rule.stage is Stage.PREVIEW and not preview and named.isdisjoint((rule.code, rule.name)):
            severity = Severity.NOTE
        active.append(ActiveRule(rule(options[rule.code]), severity))
    return tuple(active)


def _options(tables: Mapping[str, Mapping[str, Any]], slow_ms: float | None, place: str) -> dict[str, RuleOptions]:
    given: dict[str, dict[str, Any]] = {rule.code: {} for rule in load_rules()}
    for word, table in tables.items():
        try:
            given[find_rule(word).code] |= table
        except ConfigError as error:
            raise ConfigError(f"{place}: tool.dbguard.rules: {error.message}", hint=error.hint) from None
    if slow_ms is not None:
        others = {key: value for key, value in given["DBG601"].items() if field_name(key) != "threshold_ms"}
        given["DBG601"] = {**others, "threshold-ms": slow_ms}
    return {
        rule.code: read_table(rule.options_model, given[rule.code], place=place, key=f"tool.dbguard.rules.{rule.name}")
        for rule in load_rules()
    }


def _complete(finding: Finding, active: ActiveRule, recording: Recording) -> Finding:
    """Add what the rule does not know: severity, test, scope."""
    severity = Severity.NOTE if finding.in_test_code and recording.prepares else weight(finding, active)
    return replace(finding, severity=severity, tests=(recording.name,), scope=recording.scope)


def weight(finding: Finding, active: ActiveRule) -> Severity:
    """Return how much a finding of a rule weighs: what the configuration says, or less where the rule itself says so.

    Seeding is the test's own business.
    """
    if finding.in_test_code and (_in_unittest_fixture(finding) or _in_factory(finding)):
        return Severity.NOTE
    is_light = finding.severity is not active.rule.severity and active.severity.reaches(finding.severity)
    return finding.severity if is_light else active.severity


def _in_unittest_fixture(finding: Finding) -> bool:
    places = (finding.loop, finding.site, finding.origin)
    return any(p is not None and p.function.rsplit(".", 1)[-1] in _UNITTEST_FIXTURES for p in places)


def _in_factory(finding: Finding) -> bool:
    """Whether a factory, a seed or a fixture module repeats it, whoever calls them."""
    place = finding.loop or finding.site
    return place is not None and is_seeding(place.file)
