"""Marks queries that count rows where the question is whether there are any."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from pytest_dbguard.sql.facts.names import arg
from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.lint.queries import limit_of
from pytest_dbguard.sql.lint.text import LintedText

RESULT = "result"
"""The number is all that the statement returns: whether it is only tested, its source tells."""
COMPARED = "compared"
"""The statement itself compares the number with nothing."""

_COMPARISONS = (exp.GT, exp.GTE, exp.EQ, exp.NEQ, exp.LT, exp.LTE)
_MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {exp.GT: exp.LT, exp.LT: exp.GT, exp.GTE: exp.LTE, exp.LTE: exp.GTE}
_ANY = frozenset({(exp.GT, 0), (exp.GTE, 1), (exp.NEQ, 0)})
_NONE = frozenset({(exp.EQ, 0), (exp.LT, 1), (exp.LTE, 0)})
# what may stand around a count without making another question of it
_AROUND = (exp.Paren, exp.Cast, exp.Alias, exp.Coalesce)
_MORE = ("group", "having", "distinct", "offset", "qualify", "windows")


def marks(text: LintedText) -> Iterator[LintMark]:
    """Yield a mark for each count that is compared with nothing, and for a statement that only counts."""
    compared = set()
    for node in text.all(*_COMPARISONS):
        found = _compared(node)
        if found is not None:
            select, is_any = found
            compared.add(id(select))
            yield _mark(text, select, node, COMPARED, "EXISTS" if is_any else "NOT EXISTS")
    for select in text.outermost if len(text.outermost) == 1 else ():
        if id(select) not in compared and _counts(select) and _is_count(select.expressions[0]):
            yield _mark(text, select, select, RESULT, "SELECT EXISTS")


def _mark(text: LintedText, select: exp.Select, node: exp.Expr, detail: str, how: str) -> LintMark:
    scope = text.scope(select)
    leaf = next(iter(scope.leaves.values()), None) if scope is not None else None
    draft = leaf.scan if leaf is not None else None
    scan = text.scan(draft) if draft is not None else None
    if scan is None:
        inner = text.query(select)
        scan = next((each for each in text.facts.scans if each.query >= inner), None)
    return LintMark(
        MarkKind.COUNT_COMPARISON,
        subject=scan.table if scan is not None else "",
        table=scan.table if scan is not None else "",
        schema=scan.schema if scan is not None else "",
        query=scan.query if scan is not None else text.query(select),
        alias=scan.alias if scan is not None else "",
        expression=text.spelled(node) if detail == COMPARED else "",
        rewrite=f"{how} ({text.spelled(_rows(select))})",
        position=_position(text, select, node),
        detail=detail,
    )


def _position(text: LintedText, select: exp.Select, node: exp.Expr) -> int | None:
    """Return where a comparison begins: at its query, where that stands first."""
    is_first = node is select or isinstance(_bare(node.this), exp.Subquery)
    return text.keyword("SELECT", text.position(select.expressions[0])) if is_first else text.position(node)


def _rows(select: exp.Select) -> exp.Expr:
    """Return the query whose rows are counted, asking for nothing of them."""
    source = arg(select, "from")
    inner = source.this if source is not None else None
    is_wrapped = isinstance(inner, exp.Subquery) and isinstance(inner.this, exp.Select)
    if is_wrapped and inner is not None and not select.args.get("joins") and select.args.get("where") is None:
        query: exp.Expr = inner.this.copy()
        is_plain = not any(query.args.get(name) for name in _MORE)
    else:
        query, is_plain = select.copy(), True
    if is_plain:
        query.set("expressions", [exp.Var(this="1")])
        query.set("order", None)
        query.set("limit", None)
    return query


def _compared(node: exp.Expr) -> tuple[exp.Select, bool] | None:
    """Return the query whose count a comparison asks for, and whether it asks for any rows rather than for none."""
    for side, other, operator in (
        (node.this, node.expression, type(node)),
        (node.expression, node.this, _MIRRORED.get(type(node), type(node))),
    ):
        number = _number(other)
        select = _counting(side, node) if number is not None else None
        if select is not None and (operator, number) in _ANY | _NONE:
            return select, (operator, number) in _ANY
    return None


def _counting(side: exp.Expr, comparison: exp.Expr) -> exp.Select | None:
    """Return the query whose count stands on one side: one in parentheses, or the one around it."""
    side = _bare(side)
    if isinstance(side, exp.Subquery):
        select = side.this
        is_count = isinstance(select, exp.Select) and _counts(select) and _is_count(select.expressions[0])
        return select if is_count else None
    if not _is_count(side):
        return None
    select = comparison.find_ancestor(exp.Select)
    # a count of a group is asked for in HAVING, which is what it is for
    if not isinstance(select, exp.Select) or not _counts(select) or len(list(select.find_all(exp.AggFunc))) != 1:
        return None
    item = select.expressions[0]
    return select if item.find(type(comparison)) is not None and comparison in list(item.walk()) else None


def _counts(select: exp.Select) -> bool:
    """Whether a query gives one value of all its rows."""
    is_whole = not any(select.args.get(name) for name in _MORE)
    return len(select.expressions) == 1 and is_whole and arg(select, "from") is not None and not _is_bounded(select)


def _is_bounded(select: exp.Select) -> bool:
    """Whether so many rows are counted at most as a query in FROM wants."""
    source = arg(select, "from")
    inner = source.this if source is not None else None
    return isinstance(inner, exp.Subquery) and not select.args.get("joins") and limit_of(inner.this) is not None


def _is_count(node: exp.Expr) -> bool:
    """Whether an expression is the number of rows, and no more."""
    node = _bare(node)
    return isinstance(node, exp.Count) and not isinstance(node.this, exp.Distinct)


def _bare(node: exp.Expr) -> exp.Expr:
    while isinstance(node, _AROUND):
        node = node.this
    return node


def _number(node: exp.Expr) -> int | None:
    node = _bare(node)
    is_number = isinstance(node, exp.Literal) and not node.is_string and node.name in ("0", "1")
    return int(node.name) if is_number else None
