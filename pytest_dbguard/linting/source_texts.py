"""Holds the statements of sources as workloads, and leads findings about them back to lines of their files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pytest_dbguard.analysis.call_sites import CallSites
from pytest_dbguard.core.findings import Finding
from pytest_dbguard.linting.judging import SourceJudge
from pytest_dbguard.linting.model import Origin, Snippet, SourceFindings
from pytest_dbguard.linting.workloads import SourceWorkload, dialect_of, placed, source_workloads
from pytest_dbguard.planning.workload import Call, Use, Workload
from pytest_dbguard.schema.catalog import Catalog, Dialect
from pytest_dbguard.sql.shape import StatementText, read_statement

_Key = tuple[str, int, int | None, str]


class SourceTexts:
    """The statements of some sources."""

    def __init__(
        self, found: Iterable[SourceFindings], root: Path, dialect: Dialect | None, is_test: Callable[[str], bool]
    ) -> None:
        """Gather the statements.

        Args:
            found: What the sources hold.
            root: The project.
            dialect: Whose grammar texts are read by; None where each text tells by its parameters.
            is_test: Whether a file holds test code.
        """
        self._found = tuple(found)
        self._dialect = dialect
        self._is_test = is_test
        self._calls = CallSites(root)
        self._snippets: dict[_Key, Snippet] = {}
        self.texts: dict[Snippet, StatementText] = {}
        for snippet in self._all():
            text = self.texts[snippet] = read_statement(snippet.text)
            self._snippets[_key_of(snippet, text.shape.id)] = snippet
        workloads = source_workloads(self.texts, self._dialect_of, is_test)
        self._workloads = tuple(map(self._with_calls, workloads))

    def judge_on(self, catalog: Catalog | None, judge: SourceJudge) -> None:
        """Judge all statements, on a schema where one is known: those of its dialect; and all scripts."""
        other = () if self._dialect is not None else tuple(Dialect)
        for workload in self._workloads:
            if catalog is not None and workload.dialect is catalog.dialect:
                judge.judge(workload.whole, catalog, judges_schema=True)
            else:
                judge.judge_texts(workload, [each for each in other if each is not workload.dialect])
            judge.judge_parts(workload, catalog or Catalog(workload.dialect))
        if catalog is not None and not any(each.dialect is catalog.dialect for each in self._workloads):
            judge.judge(Workload("models"), catalog, judges_schema=True)
        for found in self._found:
            if found.migration is not None:
                judge.review(found.migration)
            else:
                # what a migration does to every row is meant
                self._judge_alone(found, judge)

    def _judge_alone(self, found: SourceFindings, judge: SourceJudge) -> None:
        for snippet in found.snippets:
            # code that is handed the name of a table does to it what its name says
            is_generic = snippet.is_generic or bool(snippet.interpolations)
            if snippet.is_whole and not is_generic and snippet.origin is not Origin.MIGRATION:
                judge.judge_alone(self.texts[snippet], snippet.site, in_test_code=self._is_test(snippet.site.file))

    def snippet_of(self, finding: Finding) -> Snippet | None:
        """Return the statement that a finding is about; None where it is in no source."""
        site, shape = finding.site, finding.shape
        if site is None or shape is None:
            return None
        return self._snippets.get((site.file, site.line, site.column, shape.id))

    def placed(self, finding: Finding) -> Finding:
        """Return a finding at the line of its source that it is about."""
        snippet = self.snippet_of(finding)
        return finding if snippet is None else placed(finding, snippet)

    def shapes_of(self, found: SourceFindings) -> tuple[str, ...]:
        """Return the ids of the shapes in a source, sorted."""
        return tuple(sorted({self.texts[snippet].shape.id for snippet in found.snippets}))

    def _all(self) -> Iterator[Snippet]:
        return (snippet for found in self._found for snippet in found.snippets)

    def _dialect_of(self, snippet: Snippet) -> Dialect:
        return dialect_of(snippet, self._dialect)

    def _with_calls(self, workload: SourceWorkload) -> SourceWorkload:
        return replace(workload, whole=self._called(workload.whole), parts=self._called(workload.parts))

    def _called(self, workload: Workload) -> Workload:
        """Return a workload whose uses know how their statements are called; what is put into them is known here."""
        statements = (
            replace(each, uses=tuple(self._use(use, each.shape.id) for use in each.uses))
            for each in workload.statements
        )
        return replace(workload, statements=tuple(statements))

    def _use(self, use: Use, shape: str) -> Use:
        snippet = (
            None if use.site is None else self._snippets.get((use.site.file, use.site.line, use.site.column, shape))
        )
        if use.site is None or snippet is None or snippet.origin is Origin.SQL_FILE:
            return use
        call = self._calls.call(use.site)
        interpolated = use.call.interpolated if use.call is not None else ""
        if call is None:
            return use if interpolated else replace(use, call=None)
        return replace(use, call=Call(call.methods, call.used_as, interpolated))


def _key_of(snippet: Snippet, shape: str) -> _Key:
    site = snippet.site
    return site.file, site.line, site.column, shape
