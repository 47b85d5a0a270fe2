"""What the rules about how a statement is written share: marks, sizes that somebody told, what others tell already."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import ClassVar

from pytest_dbguard.core.findings import Certainty, Finding, Fix, Remedy, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment
from pytest_dbguard.planning.statistics.model import Origin, TableStatistics
from pytest_dbguard.planning.workload import Use
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.index_findings import IndexRule, at_each_place
from pytest_dbguard.schema.catalog import Table
from pytest_dbguard.sql.facts.model import Scan, TermKind
from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.splitting import is_script

_STREAMS = frozenset({"yield_per", "partitions", "stream", "stream_scalars"})


class LintRule(IndexRule):
    """What all rules are that judge marks of one kind: each adds its attributes and `draft`."""

    severity: ClassVar[Severity]
    stage: ClassVar[Stage]
    kind: ClassVar[MarkKind]

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each mark that the rule objects to, at each place that it concerns."""
        for statement, mark in marks(assessment, self.kind):
            draft = self.draft(assessment, statement, mark)
            uses = self.uses(statement, mark) if draft is not None else ()
            if draft is not None and uses:
                draft = replace(draft, subject=_subject(assessment, draft, mark))
                chosen = replace(statement, statement=replace(statement.statement, uses=uses))
                yield from map(_for_its_file, at_each_place(draft, chosen))

    @abstractmethod
    def draft(self, assessment: Assessment, statement: AssessedStatement, mark: LintMark) -> Finding | None:
        """Return the finding about a mark, without its place; None where nothing is wrong."""

    def uses(self, statement: AssessedStatement, mark: LintMark) -> tuple[Use, ...]:
        """Return the places of a statement that a mark tells something of."""
        return tuple(use for use in statement.statement.uses if self.concerns(use))

    def concerns(self, use: Use) -> bool:
        """Whether the rule has anything to say of a place; by default it has of all."""
        return True

    def finding(
        self,
        mark: LintMark,
        message: str,
        *,
        subject: str = "",
        severity: Severity | None = None,
        certainty: Certainty = Certainty.CERTAIN,
        fix: Fix | None = None,
        evidence: tuple[str, ...] = (),
        remedies: tuple[Remedy, ...] = (),
    ) -> Finding:
        """Return a finding about a mark, without its place; subject and severity are the mark's and the rule's."""
        return Finding(
            rule=self.code,
            name=self.name,
            severity=severity or self.severity,
            subject=subject or mark.subject,
            message=message,
            certainty=certainty,
            fix=fix,
            evidence=evidence,
            remedies=remedies,
            position=mark.position,
        )


def _subject(assessment: Assessment, draft: Finding, mark: LintMark) -> str:
    """Return the subject of a finding with the table's name as the catalog has it, whichever way the text spells it."""
    table, rest = table_of(assessment, mark), draft.subject.removeprefix(mark.table)
    is_of_table = table is not None and draft.subject.startswith(mark.table) and rest[:1] in ("", ".", "(")
    return table.label + rest if table is not None and is_of_table else draft.subject


def _for_its_file(finding: Finding) -> Finding:
    """Return a finding without what the file that it is about has no use for: SQLAlchemy's code in a script of SQL."""
    if finding.site is None or not is_script(finding.site.file):
        return finding
    return replace(finding, remedies=tuple(each for each in finding.remedies if each.kind == "sql"))


def marks(assessment: Assessment, kind: MarkKind) -> Iterator[tuple[AssessedStatement, LintMark]]:
    """Yield the marks of a kind, in the order of the statements and of their texts."""
    for statement in assessment.statements:
        yield from ((statement, mark) for mark in statement.marks if mark.kind is kind)


def table_of(assessment: Assessment, mark: LintMark) -> Table | None:
    """Return the table that a mark is about; None where the catalog does not have it."""
    return assessment.catalog.table(mark.table, mark.schema) if mark.table else None


def scan_of(statement: AssessedStatement, mark: LintMark) -> Scan | None:
    """Return the scan that a mark is about; None where it is about a query."""
    return statement.facts.scan(mark.alias, mark.query) if mark.alias else None


def statistics_of(assessment: Assessment, table: str, schema: str = "") -> TableStatistics | None:
    """Return the statistics of a table as a text names it; None where the catalog does not have it."""
    found = assessment.catalog.table(table, schema) if table else None
    return assessment.statistics.table(found.name, found.schema) if found is not None else None


def told_rows(assessment: Assessment, table: str, schema: str = "") -> float | None:
    """Return the rows of a table where somebody exported or declared them; None where they are but assumed."""
    known = statistics_of(assessment, table, schema)
    return known.rows if known is not None and known.origin is not Origin.DEFAULT else None


def rows_of(assessment: Assessment, mark: LintMark) -> float | None:
    """Return the rows that the table of a mark is assumed to have; None where the catalog does not have it."""
    known = statistics_of(assessment, mark.table, mark.schema)
    return known.rows if known is not None else None


def is_told_elsewhere(statement: AssessedStatement, alias: str, query: int) -> bool:
    """Whether a missing or unusable index is told about the same scan already (DBG201, 203, 204, 302)."""
    helped = {(wanted.alias, wanted.query) for wanted, verdict in statement.wanted if verdict.helps}
    helped |= {(unusable.alias, unusable.query) for unusable, verdict in statement.unusable if verdict.helps}
    return (alias, query) in helped


def is_single(assessment: Assessment, scan: Scan) -> bool:
    """Whether a scan finds one row at most, since it compares all columns of a unique key by `=`."""
    table = assessment.catalog.table(scan.table, scan.schema)
    compared = {term.column for term in scan.terms if term.kind is TermKind.EQUAL and term.is_sargable}
    return table is not None and any(set(unique) <= compared for unique in table.uniques())


def streams(use: Use) -> bool:
    """Whether the source of a place reads its result in portions: `yield_per`, `partitions`, `stream`."""
    return use.call is not None and not _STREAMS.isdisjoint(use.call.methods)


def skips(use: Use) -> bool:
    """Whether the source of a place says that rows are skipped: `offset`, `slice`, `paginate`."""
    return use.call is not None and "offset" in use.call.methods


def is_compiled(statement: AssessedStatement) -> bool:
    """Whether SQLAlchemy wrote the text, rather than a person: it ends the SELECT list with a space and a new line."""
    exemplar = statement.statement.exemplar
    text = exemplar.text if exemplar is not None else ""
    return any(f" \n{word} " in text for word in ("FROM", "WHERE", "LIMIT"))


def both(sqlalchemy: str, sql: str) -> tuple[Remedy, ...]:
    """Return a change as both tools want it; "" is left out."""
    return tuple(Remedy(kind, code) for kind, code in (("sqlalchemy", sqlalchemy), ("sql", sql)) if code)


def fix_for(statement: AssessedStatement, title: str, *, sqlalchemy: str = "", sql: str = "") -> Fix:
    """Return the change with the code of the tool that the statement was written with; a script has SQL only."""
    if all(use.site is not None and is_script(use.site.file) for use in statement.statement.uses):
        return Fix(title, sql)
    first, second = (sqlalchemy, sql) if is_compiled(statement) else (sql, sqlalchemy)
    return Fix(title, first or second)
