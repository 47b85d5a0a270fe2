"""Writes facts as short lines, for the expectations of tests."""

from __future__ import annotations

from pytest_dbguard.sql.facts.model import Alternative, Scan, SortKey, StatementFacts, Term, TermKind, Wrapping

FLAGS = ("has_limit", "is_whole", "is_outer", "is_written", "is_unfiltered", "is_once")


def lines_of(facts: StatementFacts) -> list[str]:
    """One line a scan, join and change; then what nobody could tell, or the problem."""
    if facts.problem:
        return [f"problem: {facts.problem}"]
    lines = [scan_line(scan) for scan in facts.scans]
    lines += (join_line(join) for join in facts.joins)
    for written in facts.written:
        name = f"{written.schema}.{written.table}" if written.schema else written.table
        conflict = f" on {', '.join(written.conflict_columns)}" if written.conflict_columns else ""
        lines.append(f"{written.verb.lower()} {name}({', '.join(sorted(written.columns))}){conflict}")
    return lines + [f"unresolved {name}" for name in facts.unresolved]


def scan_line(scan: Scan) -> str:
    name = f"{scan.schema}.{scan.table}" if scan.schema else scan.table
    alias = "" if scan.alias == scan.table else f" {scan.alias}"
    parts = [term_text(term) for term in scan.terms]
    parts += (or_text(alternative) for alternative in scan.alternatives)
    if scan.order:
        parts.append("order " + ", ".join(map(key_text, scan.order)))
    if scan.groups:
        parts.append("groups " + ", ".join(scan.groups))
    parts += (flag.partition("_")[2] for flag in FLAGS if getattr(scan, flag))
    if scan.limit_ordinal is not None:
        parts.append(f"limit {scan.limit_ordinal}")
    return f"{scan.query} {name}{alias}: " + "; ".join(parts)


def term_text(term: Term) -> str:
    named = term.expression if term.wrapping is not Wrapping.NONE else term.column
    words = [named, "not" if term.is_negated else "", term.kind.value, term.wrapping.value]
    words.append("ilike" if term.is_case_insensitive else "")
    words.append(term.pattern)
    if term.other is not None:
        words.append("-> {}.{}".format(*term.other))
    if term.other_wrapping is not Wrapping.NONE:
        words.append(f"({term.other_wrapping.value})")
    elif term.kind is not TermKind.JOIN and term.operand not in ("parameter", "literal", "null"):
        words.append(f"by {term.operand or 'nothing'}")
    return " ".join(filter(None, words))


def or_text(alternative: Alternative) -> str:
    branches = (" & ".join(map(term_text, branch)) or "elsewhere" for branch in alternative.branches)
    return f"{'or' if alternative.is_of_one_scan else 'partly'}({' | '.join(branches)})"


def key_text(key: SortKey) -> str:
    named = key.column if key.column is not None else f"[{key.expression}]"
    nulls = {None: "", True: " nulls first", False: " nulls last"}[key.nulls_first]
    return named + (" desc" if key.descending else "") + nulls


def join_line(join) -> str:
    equal = ", ".join(f"{left}={right}" for left, right in join.equal)
    more = " and more" if join.has_other_terms else ""
    queries = f" @{join.left_query},{join.right_query}" if join.left_query or join.right_query else ""
    return f"{join.kind} {join.left}-{join.right}({equal}){more}{queries}"
