"""Runs the rules over one recording: most specific first, each statement in one finding at most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from pytest_dbguard.core.errors import ConfigError, did_you_mean
from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.core.verdict import Fault
from pytest_dbguard.recording.loops import LoopFinder
from pytest_dbguard.recording.model import Recording
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
    """Judges recordings one by one; faults of rules are kept, not raised."""

    rules: tuple[ActiveRule, ...]
    faults: list[Fault] = field(default_factory=list)
    ignored: int = 0
    _loops: LoopFinder = field(default_factory=LoopFinder)

    def judge(self, recording: Recording) -> list[Finding]:
        """Return the findings of one recording. A rule that raises is left out and becomes a fault."""
        if not recording.count and recording.max_queries is None:
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
                if recording.is_ignored(active.rule.code, draft.statements):
                    self.ignored += 1
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
) -> tuple[ActiveRule, ...]:
    """Return the rules that a configuration asks for, with validated options.

    Rules in preview report notes unless `preview` is on or they are selected by name. A finding's severity is the
    option's, else the rule's.

    Raises:
        ConfigError: For an unknown rule, an unknown option or a wrong value.
    """
    chosen = codes_matching(select) if select else codes_matching(["ALL"])
    chosen -= codes_matching(ignore)
    options = _options(tables or {}, slow_ms)
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


def _options(tables: Mapping[str, Mapping[str, Any]], slow_ms: float | None) -> dict[str, RuleOptions]:
    given: dict[str, dict[str, Any]] = {rule.code: {} for rule in load_rules()}
    for word, table in tables.items():
        given[find_rule(word).code] |= {key.replace("-", "_"): value for key, value in table.items()}
    if slow_ms is not None:
        given["DBG601"].setdefault("threshold_ms", slow_ms)
    return {rule.code: _validated(rule, given[rule.code]) for rule in load_rules()}


def _validated(rule: type[Rule], values: dict[str, Any]) -> RuleOptions:
    known = list(rule.options_model.model_fields)
    for key in values:
        if key not in known:
            raise ConfigError(
                f"[tool.dbguard.rules.{rule.name}]: unknown option {key!r}", hint=did_you_mean(key, known)
            )
    try:
        return rule.options_model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        raise ConfigError(
            f"[tool.dbguard.rules.{rule.name}]: {name} = {values.get(name)!r}: {first['msg']}",
            hint=f"see: dbguard explain {rule.name}",
        ) from None


def _complete(finding: Finding, active: ActiveRule, recording: Recording) -> Finding:
    """Add what the rule does not know: severity, test, scope."""
    severity = active.severity
    if finding.in_test_code and (recording.prepares or _in_unittest_fixture(finding)):
        # seeding is the test's own business
        severity = Severity.NOTE
    return replace(finding, severity=severity, tests=(recording.name,), scope=recording.scope)


def _in_unittest_fixture(finding: Finding) -> bool:
    places = (finding.loop, finding.site, finding.origin)
    return any(p is not None and p.function.rsplit(".", 1)[-1] in _UNITTEST_FIXTURES for p in places)
