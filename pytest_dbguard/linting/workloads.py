"""Makes workloads of what sources hold: one for each dialect, a statement for each text, a use for each place."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from pytest_dbguard.core.findings import Finding, Site
from pytest_dbguard.linting.model import Interpolation, Snippet
from pytest_dbguard.planning.workload import Call, Exemplar, Use, Workload, WorkloadStatement
from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.sql.placeholders import placeholders
from pytest_dbguard.sql.shape import StatementText

_POSTGRES_STYLES = frozenset({"format", "pyformat", "numeric_dollar"})
_ALIASES = MappingProxyType({"postgres": "postgresql", "pg": "postgresql", "mysql": "sqlite", "mariadb": "sqlite"})
"""Names of dialects that are read as another one: what the rules ask of MySQL's texts, SQLite's grammar tells."""


_ABOUT_VALUES = frozenset({"DBG701"})
"""Rules whose findings are about what is put into a text, rather than about the statement."""


@dataclass(frozen=True, slots=True)
class SourceWorkload:
    """What sources hold for one dialect.

    Attributes:
        dialect: Whose grammar the texts are read by.
        whole: Statements whose whole text is known.
        parts: Statements of which only what is put into them is judged.
    """

    dialect: Dialect
    whole: Workload
    parts: Workload


@dataclass(slots=True)
class _Statement:
    """One text while its places are gathered."""

    snippet: Snippet
    text: StatementText
    uses: list[Use] = field(default_factory=list)


def dialect_named(name: str) -> Dialect:
    """Return the dialect that a name stands for; raise ValueError for none."""
    return Dialect(_ALIASES.get(name, name))


def dialect_of(snippet: Snippet, default: Dialect | None) -> Dialect:
    """Return the dialect of a statement: the project's, else what its parameters tell, else PostgreSQL."""
    if "`" in snippet.text:
        return Dialect.SQLITE
    if default is not None:
        return default
    is_sqlite = snippet.style == "qmark" and bool(placeholders(snippet.text, snippet.style))
    return Dialect.SQLITE if is_sqlite else Dialect.POSTGRESQL


def source_workloads(
    snippets: Mapping[Snippet, StatementText], dialect: Callable[[Snippet], Dialect], is_test: Callable[[str], bool]
) -> tuple[SourceWorkload, ...]:
    """Return the workloads of statements in sources, those of PostgreSQL first.

    Texts of one shape stay apart: a position in one says nothing of another.
    """
    found: dict[tuple[Dialect, bool, str, str], _Statement] = {}
    for snippet, text in snippets.items():
        key = (dialect(snippet), snippet.is_whole, snippet.text, snippet.style)
        statement = found.setdefault(key, _Statement(snippet, text))
        statement.uses.append(_use(snippet, in_test_code=is_test(snippet.site.file)))
    return tuple(
        SourceWorkload(each, *(_workload(found, each, is_whole=is_whole) for is_whole in (True, False)))
        for each in Dialect
        if any(key[0] is each for key in found)
    )


def _use(snippet: Snippet, *, in_test_code: bool) -> Use:
    """Return the place of a statement."""
    site = replace(snippet.site, in_test_code=in_test_code)
    put_in = bindable(snippet)
    call = Call(interpolated=put_in[0].expression) if put_in else None
    return Use(site, 1, (), in_test_code, call=call, is_generic=snippet.is_generic)


def bindable(snippet: Snippet) -> tuple[Interpolation, ...]:
    """Return what is put into a text and could be bound: values, not names of tables or pieces of SQL."""
    return tuple(each for each in snippet.interpolations if each.is_value or each.is_quoted)


def _workload(
    found: Mapping[tuple[Dialect, bool, str, str], _Statement], dialect: Dialect, *, is_whole: bool
) -> Workload:
    chosen = (each for key, each in found.items() if key[:2] == (dialect, is_whole))
    return Workload("sources", tuple(map(_workload_statement, chosen)))


def _workload_statement(statement: _Statement) -> WorkloadStatement:
    snippet, text = statement.snippet, statement.text
    exemplar = Exemplar(snippet.text, snippet.style, longest_list=text.longest_list)
    return WorkloadStatement(text.shape, exemplar, tuple(statement.uses), text.verb)


def placed(finding: Finding, snippet: Snippet) -> Finding:
    """Return a finding at the line of its source that it is about, and without the position in the text."""
    put_in = bindable(snippet) if finding.rule in _ABOUT_VALUES else ()
    site = put_in[0].site if put_in else place_in(snippet, finding.position or 0)
    in_test_code = finding.site.in_test_code if finding.site is not None else False
    return replace(finding, site=replace(site, in_test_code=in_test_code), position=None)


def place_in(snippet: Snippet, position: int) -> Site:
    """Return where in the source stands what stands at a position of a statement's text."""
    offsets = [offset for offset, _, _ in snippet.lines]
    number = bisect_right(offsets, position) - 1
    if number < 0:
        return replace(snippet.site, end_line=None, end_column=None)
    offset, line, column = snippet.lines[number]
    return replace(snippet.site, line=line, column=column + position - offset, end_line=None, end_column=None)
