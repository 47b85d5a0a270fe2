"""Marks comparisons with NULL, which are neither true nor false whatever the row holds."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.lint.text import LintedText

NEVER = "never"
"""The comparison is never true."""
MEMBER = "member"
"""One member of a list is never found; the others are."""

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike)
# an equation there gives a value
_GIVES = (exp.Update, exp.OnConflict, exp.SetItem, exp.Set, exp.Kwarg, exp.PropertyEQ)


def marks(text: LintedText) -> Iterator[LintMark]:
    """Yield a mark for each comparison with NULL."""
    for node in text.all(*_COMPARISONS):
        if not isinstance(node.parent, _GIVES) and any(map(_is_null, (node.this, node.expression))):
            other = node.this if _is_null(node.expression) else node.expression
            yield _mark(text, node, other, NEVER, _rewritten(text, node, other))
    for listed in text.all(exp.In):
        members = listed.args.get("expressions") or []
        nulls = [member for member in members if _is_null(member)]
        # NOT IN with a NULL is another mistake: it makes all rows vanish
        if nulls and not isinstance(listed.parent, exp.Not) and not _is_empty_list(listed):
            is_all = len(nulls) == len(members)
            yield _mark(text, listed, listed.this, NEVER if is_all else MEMBER, _with_null(text, listed, is_all=is_all))
    for case in text.all(exp.Case):
        if case.this is not None:
            for branch in case.args.get("ifs") or ():
                if _is_null(branch.this):
                    yield _mark(text, case, case.this, NEVER, f"CASE WHEN {text.spelled(case.this)} IS NULL THEN ...")


def _mark(text: LintedText, node: exp.Expr, other: exp.Expr, detail: str, rewrite: str) -> LintMark:
    found = text.column(other)
    ref = found.plain if found is not None else None
    column = ref.column if ref is not None else ""
    scan = ref.scan if ref is not None else None
    return LintMark(
        MarkKind.NULL_COMPARISON,
        subject=f"{scan.table}.{column}" if scan is not None else text.spelled(other),
        table=scan.table if scan is not None else "",
        schema=scan.schema if scan is not None else "",
        columns=(column,) if column else (),
        query=scan.query.number if scan is not None else text.query(node),
        alias=scan.alias if scan is not None else "",
        expression=_with_visible_null(text, node),
        rewrite=rewrite,
        position=text.keyword("CASE", text.position(node)) if isinstance(node, exp.Case) else text.position(node),
        detail=detail,
    )


def _with_visible_null(text: LintedText, node: exp.Expr) -> str:
    """Return a comparison as people write it; of a CASE only its head."""
    if isinstance(node, exp.Case):
        return f"CASE {text.spelled(node.this)} WHEN NULL"
    return text.spelled(node)


def _rewritten(text: LintedText, node: exp.Expr, other: exp.Expr) -> str:
    """Return what was meant by `=` and `<>`; of an order nobody can tell."""
    if not isinstance(node, exp.EQ | exp.NEQ) or isinstance(other, exp.Tuple):
        return ""
    return f"{text.spelled(other)} IS {'NOT ' if isinstance(node, exp.NEQ) else ''}NULL"


def _with_null(text: LintedText, node: exp.In, *, is_all: bool) -> str:
    left = text.spelled(node.this)
    return f"{left} IS NULL" if is_all else f"({left} IN (...) OR {left} IS NULL)"


def _is_null(node: exp.Expr | None) -> bool:
    """Whether an expression is NULL, whatever it is cast to, or a row that holds one."""
    while isinstance(node, exp.Paren | exp.Cast):
        node = node.this
    if isinstance(node, exp.Tuple):
        return any(_is_null(part) for part in node.expressions)
    return isinstance(node, exp.Null)


def _is_empty_list(node: exp.In) -> bool:
    """Whether it is what SQLAlchemy writes for a list without members: `a IN (NULL) AND (1 != 1)`."""
    around = node.parent
    other = around.expression.unnest() if isinstance(around, exp.And) and around.this is node else None
    return isinstance(other, exp.NEQ) and all(isinstance(side, exp.Literal) for side in (other.this, other.expression))
