"""The fixture `dbguard`: look at the statements of a test, expect a number of them, pause, ignore."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from pytest_dbguard.analysis.ignore_words import read_words
from pytest_dbguard.core.findings import Site
from pytest_dbguard.core.ignores import Ignore, IgnoredRange, IgnoreKind
from pytest_dbguard.recording.model import Statement
from pytest_dbguard.recording.scopes import Scope
from pytest_dbguard.reports.queries import QueryGroup, render_queries
from pytest_dbguard.testing.known_tables import unknown_table


class DbGuard:
    """What a test can ask of its own recording."""

    def __init__(self, scope: Scope, root: Path) -> None:
        self._scope = scope
        self._root = root

    @property
    def queries(self) -> tuple[Statement, ...]:
        """The statements of the test so far, requests included; at most 10 000 are kept."""
        return tuple(s for recording in self._scope.recordings() for s in recording.statements)

    @property
    def count(self) -> int:
        """Number of statements so far, kept or not, requests included."""
        return self._scope.recording().total_count

    @contextmanager
    def expect(
        self,
        max_queries: int | None = None,
        *,
        exact: int | None = None,
        tables: Mapping[str, int] | None = None,
    ) -> Iterator[None]:
        """Fail the test when the block runs more statements than expected.

        Args:
            max_queries: The most statements the block may run.
            exact: The number of statements the block must run.
            tables: For each table, the most statements that may name it. A name that is in no statement of the test
                and in no MetaData fails the test: it would never be counted.
        """
        __tracebackhide__ = True
        before, starts = self.count, _starts(self._scope)
        yield
        ran = _since(self._scope, starts)
        count = self.count - before
        problem = _problem(count, ran, max_queries, exact, tables or {})
        problem = problem or unknown_table(tables or {}, self.queries)
        if problem:
            shown = render_queries(query_groups(ran), width=100) if ran else ""
            pytest.fail(f"{problem}\n{shown}", pytrace=False)

    @contextmanager
    def ignore(self, *rules: str, reason: str) -> Iterator[None]:
        """Do not report these rules for what the block runs; say why.

        Args:
            rules: Each a code, a prefix of codes or a name; `RULE:SUBJECT` for one subject or a glob of subjects.
            reason: Why it is right as it is.

        Raises:
            ConfigError: For an unknown rule.
        """
        place = self._place(sys._getframe(2))
        ignores = tuple(Ignore(IgnoreKind.FIXTURE, word, place) for word in read_words(rules))
        starts = _starts(self._scope)
        try:
            yield
        finally:
            for scope in self._scope.all_scopes():
                scope.ignores.append(IgnoredRange(ignores, starts.get(id(scope), 0), len(scope.kept)))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not record what the block runs."""
        before, self._scope.is_paused = self._scope.is_paused, True
        try:
            yield
        finally:
            self._scope.is_paused = before

    def _place(self, frame: FrameType) -> Site:
        path = Path(frame.f_code.co_filename)
        file = path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else str(path)
        return Site(file, frame.f_lineno, function=frame.f_code.co_qualname, in_test_code=True)


def query_groups(statements: tuple[Statement, ...]) -> list[QueryGroup]:
    """Group statements by shape and place, most first."""
    counts: Counter[tuple[str, str]] = Counter()
    elapsed: dict[tuple[str, str], float] = {}
    for statement in statements:
        site = statement.stack.site
        key = (statement.text.shape.text, f"{site.label} in {site.function}" if site else "")
        counts[key] += 1
        elapsed[key] = elapsed.get(key, 0.0) + statement.elapsed_ms
    return [QueryGroup(shape, place, count, elapsed[shape, place]) for (shape, place), count in counts.most_common()]


def _starts(scope: Scope) -> dict[int, int]:
    """Return how many statements each scope holds so far, by the scope's id."""
    return {id(each): len(each.kept) for each in scope.all_scopes()}


def _since(scope: Scope, starts: dict[int, int]) -> tuple[Statement, ...]:
    return tuple(
        statement for each in scope.all_scopes() for statement in each.recording().statements[starts.get(id(each), 0) :]
    )


def _problem(
    count: int,
    ran: tuple[Statement, ...],
    max_queries: int | None,
    exact: int | None,
    tables: Mapping[str, int],
) -> str | None:
    if max_queries is not None and count > max_queries:
        return f"expected at most {max_queries} queries, {count} were run"
    if exact is not None and count != exact:
        return f"expected {exact} queries, {count} were run"
    for table, most in tables.items():
        named = sum(table in statement.text.tables for statement in ran)
        if named > most:
            return f"expected at most {most} queries on `{table}`, {named} were run"
    return None
