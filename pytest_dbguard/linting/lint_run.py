"""Judges sources, models and workloads without running anything: what there is in, a verdict out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from pytest_dbguard.analysis.ignores import InlineIgnores
from pytest_dbguard.analysis.judge import ActiveRule
from pytest_dbguard.analysis.plan_sources import PlanSources
from pytest_dbguard.analysis.pool import FindingPool
from pytest_dbguard.analysis.setting_ignores import SettingIgnores
from pytest_dbguard.analysis.verdict import TestCode, decide
from pytest_dbguard.baseline.model import Baseline
from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.core.verdict import BaselineState, Fault, Planning, RunTotals, Verdict
from pytest_dbguard.linting.file_results import FileResult, result_from_json, result_to_json
from pytest_dbguard.linting.judging import SourceJudge
from pytest_dbguard.linting.model import SourceFindings
from pytest_dbguard.linting.model_sites import TableSites, site_of
from pytest_dbguard.linting.processes import shared
from pytest_dbguard.linting.quiet_parser import quiet_parser
from pytest_dbguard.linting.reading import SourceFile, read_source
from pytest_dbguard.linting.result_cache import ResultCache, digest
from pytest_dbguard.linting.silencing import comments_of, is_silenced, mistakes_in
from pytest_dbguard.linting.source_texts import SourceTexts
from pytest_dbguard.planning.workload import Workload
from pytest_dbguard.recording.ownership import CodeKind, Ownership
from pytest_dbguard.schema.catalog import Catalog, Dialect

_Share = tuple[Mapping[str, FileResult], list[Finding], list[Fault]]
"""What some sources show, what is about none of them, and errors of rules."""
Pair = tuple[Workload, Catalog | None]
"""A workload that ran, and its schema where that is known."""
_OF_REPEATED = frozenset({"DBG201", "DBG203", "DBG204", "DBG302", "DBG401", "DBG406", "DBG407", "DBG413"})
"""Rules about what each execution costs, or what is added to a schema later: a revision runs once, on its schema."""


@dataclass(frozen=True, slots=True)
class LintRequest:
    """What is to be judged, and by what.

    Attributes:
        root: The project; paths are shown relative to it.
        rules: The active rules.
        sources: Gives statistics and labs.
        ownership: Tells tests from the application.
        files: The sources.
        workloads: What ran, from files.
        catalog: The schema; None where nothing tells it.
        dialect: Whose grammar texts are read by; None where each text tells by its parameters.
        sites: Where the models declare tables.
        ignores: What the settings say not to report.
        test_code: What becomes of findings about test code.
        baseline: What is accepted; None to judge everything.
        state: What is told of the baseline.
        fail_on: The severity that fails; None for never.
        told: Lines about how the schema was found, or why none was.
        settings: What of the settings decides about findings, as text: results are kept by it.
    """

    root: Path
    rules: tuple[ActiveRule, ...]
    sources: PlanSources
    ownership: Ownership
    files: tuple[SourceFile, ...] = ()
    workloads: tuple[Pair, ...] = ()
    catalog: Catalog | None = None
    dialect: Dialect | None = None
    sites: TableSites = field(default_factory=lambda: MappingProxyType({}))
    ignores: SettingIgnores = field(default_factory=SettingIgnores)
    test_code: TestCode = "note"
    baseline: Baseline | None = None
    state: BaselineState = field(default_factory=BaselineState)
    fail_on: Severity | None = Severity.WARNING
    told: tuple[str, ...] = ()
    settings: str = ""


@dataclass(frozen=True, slots=True)
class LintOutcome:
    """The verdict, lines about what could not be read, and whether a lab that could not be had might tell more."""

    verdict: Verdict
    problems: tuple[str, ...] = ()
    is_weaker: bool = False


def run_lint(request: LintRequest, cache: ResultCache | None = None) -> LintOutcome:
    """Return the verdict on sources, models and workloads.

    Results of files are taken from the cache, and kept there, where they depend on nothing but the file: without a
    schema.
    """
    run = _Run(request, cache if request.catalog is None else None)
    try:
        with quiet_parser():
            return run.outcome()
    finally:
        run.judge.close()


class _Run:
    """One run while it goes on."""

    def __init__(self, request: LintRequest, cache: ResultCache | None) -> None:
        self._request = request
        self._cache = cache
        # the sources do not tell all that an application does: it composes the rest
        is_whole = bool(request.workloads) and not request.files
        self.judge = SourceJudge(request.rules, request.sources, is_whole=is_whole)
        self._general: list[Finding] = []

    def outcome(self) -> LintOutcome:
        """Judge all, and put the verdict together."""
        request = self._request
        results = self._results()
        self._judge_workloads()
        findings = [each for result in results for each in result.findings]
        inline = InlineIgnores(request.root)
        general = [finding for finding in map(self._on_models, self._general) if not inline.silences(finding)]
        left = [finding for finding in (*findings, *general) if not request.ignores.silencing(finding)]
        ignored = sum(result.ignored for result in results) + len(findings) + len(self._general) - len(left)
        pool = FindingPool()
        pool.add(left)
        verdict = decide(
            pool.findings(),
            baseline=request.baseline,
            state=request.state,
            fail_on=request.fail_on,
            test_code=request.test_code,
            totals=self._totals(results),
            faults=self.judge.judged.faults,
            ignored=ignored,
            planning=self._planning(results),
        )
        problems = dict.fromkeys(line for result in results for line in result.problems)
        return LintOutcome(verdict, tuple(problems), self.judge.judged.is_weaker)

    def _results(self) -> list[FileResult]:
        """Return a result for each file, those of files that did not change from the cache."""
        files = self._request.files
        if self._cache is None:
            known = self._judged(files)
            return [known[source.path] for source in files]
        keys = {source.path: self._key(source) for source in files}
        kept = {path: entry for path, key in keys.items() if (entry := self._cache.get(key)) is not None}
        known = {path: result_from_json(entry) for path, entry in kept.items()}
        fresh = self._judged([source for source in files if source.path not in known])
        if not self.judge.judged.faults:
            for path, result in fresh.items():
                self._cache.keep(keys[path], result_to_json(result))
            self._cache.save()
        return [fresh.get(source.path) or known[source.path] for source in files]

    def _key(self, source: SourceFile) -> str:
        request = self._request
        is_test = str(self._is_test(source.path))
        return digest(
            request.settings, str(request.dialect), is_test, source.path, source.content, source.beside, source.problem
        )

    def _is_test(self, path: str) -> bool:
        return self._request.ownership.of(str(self._request.root / path))[0] is CodeKind.TEST

    def _judged(self, files: Sequence[SourceFile]) -> Mapping[str, FileResult]:
        """Judge sources, and return what each of them shows; without a schema one has nothing to do with the others."""
        if self._request.catalog is not None:
            return self._judged_together(files)
        results: dict[str, FileResult] = {}
        for share, general, faults in shared(self._judged_apart, files):
            results |= share
            self._general += general
            self.judge.judged.faults += [fault for fault in faults if fault not in self.judge.judged.faults]
        return results

    def _judged_apart(self, files: Sequence[SourceFile]) -> _Share:
        run = _Run(self._request, None)
        return run._judged_together(files), run._general, run.judge.judged.faults

    def _judged_together(self, files: Sequence[SourceFile]) -> Mapping[str, FileResult]:
        request = self._request
        dialect = str(request.dialect or "")
        read = {source.path: read_source(source, request.root, dialect) for source in files}
        texts = SourceTexts(read.values(), request.root, request.dialect, self._is_test)
        if files or request.catalog is not None:
            texts.judge_on(request.catalog, self.judge)
        by_file: dict[str, list[Finding]] = {path: [] for path in read}
        for finding in self.judge.judged.findings:
            place = finding.site.file if finding.site is not None else ""
            migration = read[place].migration if place in read else None
            if migration is None or not migration.revision or finding.rule not in _OF_REPEATED:
                by_file.get(place, self._general).append(finding)
        self.judge.judged.findings.clear()
        unread = self.judge.judged.unread
        return {
            path: replace(_result(source, read[path], by_file[path], texts), not_analysed=unread.pop(path, {}))
            for source in files
            for path in (source.path,)
        }

    def _judge_workloads(self) -> None:
        request = self._request
        for workload, own in request.workloads:
            catalog = request.catalog or own
            if catalog is None:
                dialect = request.dialect or Dialect.POSTGRESQL
                self.judge.judge_unknown(workload, dialect)
            else:
                self.judge.judge(workload, catalog)
        self._general += self.judge.judged.findings
        self.judge.judged.findings.clear()

    def _on_models(self, finding: Finding) -> Finding:
        if finding.site is not None or not self._request.sites:
            return finding
        return replace(finding, site=site_of(finding, self._request.sites))

    def _totals(self, results: Sequence[FileResult]) -> RunTotals:
        ran = [each for workload, _ in self._request.workloads for each in workload.statements]
        shapes = {shape for result in results for shape in result.shapes} | {each.shape.id for each in ran}
        statements = sum(result.statements for result in results) + len(ran)
        catalog = self._request.catalog
        return RunTotals(
            statements=statements,
            shapes=len(shapes),
            files=len(results),
            migrations=sum(result.migrations for result in results),
            tables=len(catalog.tables) if catalog is not None else 0,
            by_tests=sum(all(use.in_test_code for use in each.uses) for each in ran if each.uses),
        )

    def _planning(self, results: Sequence[FileResult]) -> Planning:
        judged = self.judge.judged
        not_analysed = judged.not_analysed + judged.unread.get("", Counter())
        for result in results:
            not_analysed.update(result.not_analysed)
        for workload, _ in self._request.workloads:
            not_analysed.update(workload.skipped)
        told = (*self._request.told, *judged.drift)
        return Planning(tuple(judged.labs), tuple(sorted(not_analysed.items())), told)


def _result(source: SourceFile, found: SourceFindings, findings: Sequence[Finding], texts: SourceTexts) -> FileResult:
    """Return what is left of the findings in a source, at their lines."""
    comments = comments_of(source.text, is_sql=source.is_sql)
    left = []
    for finding in findings:
        snippet = texts.snippet_of(finding)
        words = texts.texts[snippet].ignores if snippet is not None else ()
        at_line = texts.placed(finding)
        if not is_silenced(at_line, comments, words) and not is_silenced(finding, comments):
            left.append(at_line)
    return FileResult(
        tuple(left),
        texts.shapes_of(found),
        len(found.snippets),
        len(findings) - len(left),
        (*found.problems, *mistakes_in(source.path, comments)),
        migrations=int(found.migration is not None),
    )
