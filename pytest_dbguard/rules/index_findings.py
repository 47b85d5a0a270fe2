"""What the findings about indexes share: places, words for what is read, basis, figures, and the change to paste."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from pytest_dbguard.core.findings import Finding, Fix, PlanLine, Remedy, Severity
from pytest_dbguard.planning.assessment import AssessedStatement, Assessment, Basis, Purpose, Verdict, Wanted
from pytest_dbguard.planning.candidates.spelling import alembic_code, ddl, name_of, sqlalchemy_code, subject
from pytest_dbguard.planning.lab.base import IndexSpec
from pytest_dbguard.planning.plan import Access, Node, Plan
from pytest_dbguard.planning.plan_lines import figure, plan_lines
from pytest_dbguard.planning.statistics.model import Origin
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.base import Context, Draft, RuleOptions
from pytest_dbguard.schema.catalog import Dialect, Index, Table
from pytest_dbguard.schema.quoting import quoted
from pytest_dbguard.sql.facts.model import Scan

PAGE_BYTES = 8192
_READS = frozenset({Access.SEQUENTIAL, Access.INDEX, Access.INDEX_ONLY, Access.BITMAP, Access.AUTOMATIC_INDEX})


class IndexRule:
    """What all rules about the indexes of a whole run are: each adds its attributes and `judge`."""

    code: ClassVar[str]
    name: ClassVar[str]
    options_model: ClassVar[type[RuleOptions]] = RuleOptions

    def __init__(self, options: RuleOptions) -> None:
        self._options = options

    def check(self, recording: Recording, context: Context) -> Iterable[Draft]:
        """Yield nothing: the statements of the whole run are judged together."""
        return ()


@dataclass(frozen=True, slots=True)
class Need:
    """One or more indexes that a scan of a statement needs: several for an OR, all of which must be there."""

    statement: AssessedStatement
    members: tuple[tuple[Wanted, Verdict], ...]

    @property
    def wanted(self) -> Wanted:
        """The first of them."""
        return self.members[0][0]

    @property
    def verdict(self) -> Verdict:
        """The verdict on all of them together."""
        return self.members[0][1]

    @property
    def scan(self) -> Scan | None:
        """The scan that needs them."""
        return self.statement.facts.scan(self.wanted.alias, self.wanted.query)

    @property
    def subjects(self) -> tuple[str, ...]:
        """What each of them is about: `orders.city`."""
        return tuple(dict.fromkeys(subject(wanted.spec) for wanted, _ in self.members))

    @property
    def specs(self) -> tuple[IndexSpec, ...]:
        """The indexes to make: the wider ones where other statements want them."""
        return tuple(dict.fromkeys(verdict.wider or wanted.spec for wanted, verdict in self.members))


def needs(assessment: Assessment, purposes: Iterable[Purpose]) -> Iterator[Need]:
    """Yield what the statements need for these purposes, as far as it helps."""
    chosen = frozenset(purposes)
    for statement in assessment.statements:
        groups: dict[object, list[tuple[Wanted, Verdict]]] = {}
        for wanted, verdict in statement.wanted:
            if verdict.helps:
                key = (wanted.query, wanted.alias, wanted.group) if wanted.group else wanted.spec
                groups.setdefault(key, []).append((wanted, verdict))
        for members in groups.values():
            if members[0][0].purpose in chosen:
                yield Need(statement, tuple(members))


def at_each_place(draft: Finding, statement: AssessedStatement) -> Iterator[Finding]:
    """Yield a finding for each place that runs a statement."""
    for use in statement.statement.uses:
        yield replace(
            draft,
            site=use.site,
            count=use.count,
            tests=use.tests,
            scope=use.scope,
            in_test_code=use.in_test_code,
            shape=statement.statement.shape,
        )


def need_finding(rule: IndexRule, assessment: Assessment, need: Need, message: str) -> Finding:
    """Return the finding for what a statement needs, without its place."""
    spec, verdict = need.wanted.spec, need.verdict
    return Finding(
        rule=rule.code,
        name=rule.name,
        severity=severity_of(need),
        subject=need.subjects[0],
        message=message,
        fix=fix_of(need.specs),
        evidence=figures(assessment, need),
        basis=basis_text(assessment, _weakened(verdict), spec.table, spec.schema),
        plan=plan_of(verdict.plan_before, _hot(need)),
        remedies=remedies(need.specs, assessment.catalog.dialect),
    )


def _weakened(verdict: Verdict) -> Verdict:
    """Return a verdict that is not called proven where the width of a range was assumed."""
    is_guess = verdict.is_assumed and verdict.basis is Basis.PROVEN
    return replace(verdict, basis=Basis.MODELLED) if is_guess else verdict


def _hot(need: Need) -> Node | None:
    """Return the node that the index would spare: the sort, where it is for the order; else what reads the table."""
    plan = need.verdict.plan_before
    sorts = (node for node in plan.root.walk() if node.access is Access.SORT) if plan is not None else iter(())
    sort = next(sorts, None) if need.wanted.purpose is Purpose.SORT else None
    return sort or node_of(plan, need.scan)


def severity_of(need: Need) -> Severity:
    """Return error where a planner confirmed what figures of values cannot change; else warning."""
    wanted, verdict = need.wanted, need.verdict
    if verdict.basis is Basis.PROVEN and not verdict.is_assumed:
        return Severity.ERROR
    is_sure = verdict.basis is Basis.MODELLED and not wanted.is_range_only and wanted.purpose is not Purpose.SORT
    return Severity.ERROR if is_sure else Severity.WARNING


def basis_text(assessment: Assessment, verdict: Verdict, table: str, schema: str = "") -> str:
    """Return what a verdict rests on: `modelled at 100,000 rows (default)`."""
    if verdict.basis is Basis.STATIC or verdict.rows is None:
        return "static" + (f" ({assessment.no_lab})" if assessment.no_lab else "")
    statistics = assessment.statistics
    known = statistics.table(table, schema)
    if verdict.basis is Basis.PROVEN:
        taken = f"statistics of {statistics.taken_at}" if statistics.taken_at else statistics.source
        return f"proven ({taken}, {count(verdict.rows)} rows)"
    origin = known.origin if known is not None else Origin.DEFAULT
    return f"modelled at {count(verdict.rows)} rows ({origin.value})"


def count(number: float) -> str:
    """Return a number as people write it: `12,400,000`."""
    return f"{round(number):,}"


def node_of(plan: Plan | None, scan: Scan | None) -> Node | None:
    """Return the node that reads what a scan reads; None without a plan, or where it is not read by itself."""
    if plan is None or scan is None:
        return None
    named = re.compile(rf"{re.escape(scan.alias)}(_\d+)?")
    nodes = [node for node in plan.root.walk() if node.access in _READS]
    of_table = [node for node in nodes if node.table.lower() == scan.table.lower()]
    # PostgreSQL numbers the aliases that several queries use, and those of partitions
    found = [node for node in of_table or nodes if named.fullmatch(node.alias)] or of_table
    return next((node for node in found if node.is_whole), found[0] if found else None)


def reads_text(verdict: Verdict, scan: Scan | None) -> str:
    """Return what an execution does without the index, as the planner sees it."""
    plan = verdict.plan_before
    node = node_of(plan, scan)
    rows = f"all {count(verdict.rows)} rows" if verdict.rows is not None else "the whole table"
    if plan is None:
        return "each execution reads the whole table"
    if node is None or scan is None:
        return _gain_text(verdict)
    if node.is_whole and node.table.lower() != scan.table.lower():
        return "each execution reads whole partitions"
    if node.is_whole:
        if scan.is_once and _runs_per_row(plan.root, node):
            return f"each row of the outer query reads {rows}"
        # what is read in no order, or in that of an index, ends when LIMIT has its rows
        may_end = scan.has_limit and (not scan.order or node.index)
        return f"an execution may read {rows}" if may_end else f"each execution reads {rows}"
    if node.access is Access.AUTOMATIC_INDEX:
        return f"each execution builds a temporary index of {rows}"
    return _gain_text(verdict)


def _runs_per_row(root: Node, node: Node) -> bool:
    """Whether a node stands in a subplan that runs once a row, and not once for all."""
    for each in root.walk():
        per_row = each.access is Access.SUBPLAN and each.text.startswith(("SubPlan", "CORRELATED"))
        if per_row and any(below is node for below in each.walk()):
            return True
    return False


def _gain_text(verdict: Verdict) -> str:
    if verdict.cost_before and verdict.cost_after is not None:
        share = verdict.cost_after / verdict.cost_before
        return f"with one it costs {share:.0%} of what it costs now" if share >= 0.01 else "with one it costs under 1%"
    return "each execution reads more rows than it needs"


def plan_of(plan: Plan | None, hot: Node | None) -> tuple[PlanLine, ...]:
    """Return a plan as it is shown, one node marked; () without one."""
    return plan_lines(plan, hot) if plan is not None else ()


def used_tables(assessment: Assessment) -> frozenset[str]:
    """Return the names of the tables that the run reads or writes; of all where the schema itself is judged."""
    if assessment.judges_schema:
        return frozenset(table.name for table in assessment.catalog.tables)
    facts = [statement.facts for statement in assessment.statements]
    read = {scan.table for each in facts for scan in each.scans}
    return frozenset(read | {written.table for each in facts for written in each.written})


def drop_remedies(table: Table, index: Index, dialect: Dialect) -> tuple[Remedy, ...]:
    """Return how to drop an index, for each tool."""
    schema = table.schema if table.schema not in ("", "public") else ""
    name = ".".join(quoted(part) for part in (schema, index.name) if part)
    how = "DROP INDEX CONCURRENTLY" if dialect is Dialect.POSTGRESQL else "DROP INDEX"
    place = f', schema="{schema}"' if schema else ""
    return (
        Remedy("sql", f"{how} {name};"),
        Remedy("alembic", f'op.drop_index("{index.name}", table_name="{table.name}"{place})'),
    )


def remedies(specs: Sequence[IndexSpec], dialect: Dialect) -> tuple[Remedy, ...]:
    """Return how to make indexes, for each tool."""
    names = [(spec, name_of(spec)) for spec in specs]
    return (
        Remedy("sql", "\n".join(f"{ddl(spec, dialect)};" for spec, _ in names)),
        Remedy("sqlalchemy", "\n".join(sqlalchemy_code(spec, name) for spec, name in names)),
        Remedy("alembic", "\n".join(alembic_code(spec, name, dialect) for spec, name in names)),
    )


def fix_of(specs: Sequence[IndexSpec]) -> Fix:
    """Return the change to the models."""
    code = "\n".join(sqlalchemy_code(spec, name_of(spec)) for spec in specs)
    what = "this index" if len(specs) == 1 else "these indexes, of which an OR needs all,"
    return Fix(f"add {what} to `__table_args__` of `{specs[0].table}`", code)


def figures(assessment: Assessment, need: Need) -> tuple[str, ...]:
    """Return the lines that tell what an index gains and costs."""
    verdict = need.verdict
    # what it weighs is known of the index that is wanted, not of a wider one
    lines = [*verdict_lines(verdict if verdict.wider is None else replace(verdict, size=None))]
    if verdict.wider is not None:
        lines.append(f"{subject(verdict.wider)} serves other statements of this run as well")
    if need.wanted.extends:
        lines.append(f"it makes {need.wanted.extends} superfluous")
    return (*lines, *write_lines(assessment, need.wanted.spec))


def verdict_lines(verdict: Verdict) -> tuple[str, ...]:
    """Return the lines that tell what the planner says of an index."""
    return (*_cost_lines(verdict), *_size_lines(verdict))


def _cost_lines(verdict: Verdict) -> Iterator[str]:
    if verdict.cost_before is not None and verdict.cost_after is not None:
        cost = "cost of a narrow range" if verdict.is_assumed else "cost"
        yield f"{cost} {figure(verdict.cost_before)} -> {figure(verdict.cost_after)} with the index"


def _size_lines(verdict: Verdict) -> Iterator[str]:
    size, rows = verdict.size, verdict.pays_from_rows
    pays = f"pays from about {count(rows)} rows" if rows is not None else ""
    if size is not None and size.pages:
        weighs = f"the index takes about {size_text(size.pages * PAGE_BYTES)}"
        yield f"{weighs} and {pays}" if pays else weighs
    elif pays:
        yield f"the index {pays}"


def size_text(size_bytes: float) -> str:
    """Return a size as people write it: `2.1 MB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size_bytes < 1024 or unit == "GB":
            return f"{size_bytes:,.0f} {unit}" if size_bytes >= 10 or unit == "bytes" else f"{size_bytes:,.1f} {unit}"
        size_bytes /= 1024
    return ""


def write_lines(assessment: Assessment, spec: IndexSpec) -> Iterator[str]:
    """Yield what writes pay for an index."""
    writing = sum(_writes(each, spec) for each in assessment.writers.get(spec.table, ()))
    if writing:
        shapes = "1 statement of this run does" if writing == 1 else f"{writing} statements of this run do"
        yield f"each INSERT, and each UPDATE of its columns, writes one more index entry; {shapes}"
    known = assessment.statistics.table(spec.table, spec.schema)
    if known is not None and known.writes_per_read is not None:
        yield f"production writes {known.writes_per_read:.3g} rows of the table for each one that it reads"


def _writes(statement: AssessedStatement, spec: IndexSpec) -> bool:
    keys = {column for column in spec.columns if column is not None}
    return any(
        written.table == spec.table
        and (written.verb in ("INSERT", "MERGE") or (written.verb == "UPDATE" and bool(keys & written.columns)))
        for written in statement.facts.written
    )
