"""Marks lists that a column is looked up in, with the number of their members in this text."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from pytest_dbguard.sql.facts.text import MAX_MEMBERS
from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.lint.text import LintedText
from pytest_dbguard.sql.placeholders import lexemes

_NO_LIST = frozenset({"SELECT", "VALUES", "WITH", ")"})


def marks(text: LintedText) -> Iterator[LintMark]:
    """Yield a mark for each IN with a list; lists of rows of VALUES, arrays and queries are none."""
    lists = [node for node in text.all(exp.In) if node.args.get("expressions") and not _is_rows(node)]
    lengths = [len(node.args["expressions"]) for node in lists]
    if max(lengths, default=0) >= MAX_MEMBERS:
        # the tree lacks members of long lists, so that they are counted in the text
        lists.sort(key=lambda node: text.position(node) or 0)
        counted = list(_lengths(text))
        lengths = counted if len(counted) == len(lists) else [max(counted, default=0)] * len(lists)
    for node, length in zip(lists, lengths, strict=True):
        yield _mark(text, node, length)


def _is_rows(node: exp.In) -> bool:
    """Whether a list is no list of values but rows of VALUES, which sqlglot takes for its only member."""
    members = node.args["expressions"]
    return len(members) == 1 and isinstance(members[0].unnest(), exp.Values | exp.Query)


def _lengths(text: LintedText) -> Iterator[int]:
    """Yield the number of members of each list behind IN, in the order of the text."""
    words = [token.text.upper() for token in lexemes(text.sql, "numeric_dollar" if text.names.is_postgres else "qmark")]
    for index, word in enumerate(words):
        if word != "IN" or words[index + 1 : index + 2] != ["("] or words[index + 2] in _NO_LIST:
            continue
        depth, members = 0, 1
        for inner in words[index + 1 :]:
            depth += (inner == "(") - (inner == ")")
            members += inner == "," and depth == 1
            if not depth:
                break
        yield members


def _mark(text: LintedText, node: exp.In, length: int) -> LintMark:
    left = node.this.unnest()
    columns = list(left.expressions) if isinstance(left, exp.Tuple) else [left]
    refs = [found.plain for found in map(text.column, columns) if found is not None]
    known = [ref for ref in refs if ref is not None]
    scan = known[0].scan if len(known) == len(columns) else None
    names = tuple(ref.column for ref in known) if scan is not None else ()
    label = f"{scan.table}.{names[0]}" if scan is not None and len(names) == 1 else ""
    if scan is not None and len(names) > 1:
        label = f"{scan.table}({', '.join(names)})"
    return LintMark(
        MarkKind.IN_LIST,
        subject=label or text.spelled(left),
        table=scan.table if scan is not None else "",
        schema=scan.schema if scan is not None else "",
        columns=names,
        query=scan.query.number if scan is not None else text.query(node),
        alias=scan.alias if scan is not None else "",
        number=length,
        expression=text.spelled(left),
        position=text.position(node),
        detail="not" if isinstance(node.parent, exp.Not) else "",
    )
