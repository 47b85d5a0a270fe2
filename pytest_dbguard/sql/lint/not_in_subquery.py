"""Marks NOT IN, and `<> ALL`, with a query whose column may be NULL, or with a list that holds NULL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from pytest_dbguard.sql.facts.model import Scan, Term, TermKind, Wrapping
from pytest_dbguard.sql.facts.scans import Found, Ref
from pytest_dbguard.sql.lint.model import LintMark, MarkKind
from pytest_dbguard.sql.lint.queries import branches, filters, is_negated, limit_of
from pytest_dbguard.sql.lint.text import LintedText

_KEEPS_NULL = ("coalesce", "ifnull", "nvl", "concat", "case", "isnull", "nullif", "greatest", "least", "decode")

_STRICT = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.Between, exp.In, exp.Is)


def marks(text: LintedText) -> Iterator[LintMark]:
    """Yield a mark for each NOT IN that decides about rows.

    Of a query `table` and `columns` are where its values come from; `detail` is "outer" where a join adds NULLs,
    "value" where they are computed so that some are NULL, else "". Of a list that holds NULL `detail` is "list".
    `other` is the column that is compared.
    """
    for node, left, query in _tests(text):
        if not filters(node):
            continue
        found = text.column(left)
        if query is None:
            yield LintMark(
                MarkKind.NOT_IN_SUBQUERY,
                subject=_label(found) or text.spelled(left),
                query=text.query(node),
                expression=f"{text.spelled(left)} NOT IN (..., NULL)",
                position=text.position(left),
                detail="list",
                other=_label(found),
            )
        else:
            yield from _of_query(text, left, found, query)


def _tests(text: LintedText) -> Iterator[tuple[exp.Expr, exp.Expr, exp.Expr | None]]:
    """Yield each test: its node, what is compared, and the query; None for a list that holds NULL."""
    for node in text.all(exp.In):
        if is_negated(node) and not isinstance(node.this.unnest(), exp.Tuple):
            if node.args.get("query") is not None:
                yield node, node.this, node.args["query"]
            # of a list of nothing else null-comparison tells; SQLAlchemy writes an empty one so
            elif len({isinstance(member, exp.Null) for member in node.args.get("expressions") or ()}) > 1:
                yield node, node.this, None
    for kind, quantifier, negated in ((exp.NEQ, exp.All, False), (exp.EQ, exp.Any, True)):
        for test in text.all(kind):
            right = test.expression
            is_query = isinstance(right, quantifier) and isinstance(right.this.unnest(), exp.Query)
            if is_query and is_negated(test) is negated:
                yield test, test.this, right.this


def _of_query(text: LintedText, left: exp.Expr, found: Found | None, query: exp.Expr) -> Iterator[LintMark]:
    for select in branches(query):
        item = select.expressions[0] if len(select.expressions) == 1 else None
        if item is not None and _makes_null(item.unalias().unnest()):
            yield from _of_value(text, left, found, select, item.unalias().unnest())
            continue
        for ref in _refs(text, select, item) if item is not None else ():
            scan = text.scan(ref.scan)
            if scan is None or ref.wrapping is not Wrapping.NONE or _is_never_null(text, select, scan, ref):
                continue
            mark = _mark(text, left, found, scan, ref.column)
            yield replace(mark, rewrite=_rewrite(text, left, found, query), detail="outer" if scan.is_outer else "")


def _mark(
    text: LintedText, left: exp.Expr, found: Found | None, scan: Scan, column: str, *, value: str = ""
) -> LintMark:
    """Return the mark for a column that may be NULL; `value` is what the query computes of it."""
    return LintMark(
        MarkKind.NOT_IN_SUBQUERY,
        subject=f"{scan.table}.{column}",
        table=scan.table,
        schema=scan.schema,
        columns=(column,),
        query=scan.query,
        alias=scan.alias,
        expression=f"{text.spelled(left)} NOT IN (SELECT {value or column} ...)",
        position=text.position(left),
        other=_label(found),
    )


def _makes_null(value: exp.Expr) -> bool:
    """Whether a value is NULL for some rows by what it says: CASE without ELSE, NULLIF."""
    if isinstance(value, exp.Case):
        ends = [value.args.get("default"), *(branch.args.get("true") for branch in value.args["ifs"])]
        return any(end is None or isinstance(end, exp.Null) for end in ends)
    return isinstance(value, exp.Nullif)


def _of_value(
    text: LintedText, left: exp.Expr, found: Found | None, select: exp.Select, value: exp.Expr
) -> Iterator[LintMark]:
    """Yield the mark for a query whose values are computed, unless conditions tell of their columns."""
    columns = [text.column(column) for column in value.find_all(exp.Column)]
    ref = next((ref for column in columns if column is not None for ref in column.refs), None)
    scan = text.scan(ref.scan) if ref is not None else None
    if ref is None or scan is None or select.args.get("having") is not None or _is_asked_for(select, value):
        return
    yield replace(_mark(text, left, found, scan, ref.column, value=text.spelled(value)), detail="value")


def _is_asked_for(select: exp.Select, value: exp.Expr) -> bool:
    """Whether WHERE names a value, or what decides about it: then it may leave NULL out."""
    where = select.args.get("where")
    told = [value, *(branch.this for branch in value.args.get("ifs") or ())]
    return where is not None and any(node in told for node in where.walk())


def _refs(text: LintedText, select: exp.Select, item: exp.Expr) -> tuple[Ref, ...]:
    """Return the columns of tables that a query gives as its only one."""
    column = item.unalias()
    value = text.column(column)
    if value is not None:
        return value.refs if value.is_local else ()
    scope = text.scope(select)
    scans = [leaf.scan for leaf in scope.leaves.values()] if scope is not None else []
    # without a schema it might be a column of the query around, which nobody would return here
    is_own = len(scans) == 1 and isinstance(column, exp.Column) and not column.args.get("table")
    return tuple(Ref(scan, text.names.name(column.this)) for scan in scans if is_own and scan and scan.known is None)


def _is_never_null(text: LintedText, select: exp.Select, scan: Scan, ref: Ref) -> bool:
    """Whether some condition of the query lets no NULL of the column through."""
    having = select.args.get("having")
    tested = having.find_all(exp.Column) if having is not None else ()
    if any(column.name.lower() == ref.column.lower() for column in tested):
        return True
    if not scan.is_outer and ref.scan.known is None and _is_left_out(select, ref.column):
        return True
    return not scan.is_outer and any(term.column == ref.column and _is_strict(term) for term in scan.terms)


def _is_left_out(select: exp.Select, column: str) -> bool:
    """Whether WHERE lets no NULL of a column through, whose table it does not name: without a schema no term tells."""
    where = select.args.get("where")
    for condition in where.this.flatten() if where is not None and isinstance(where.this, exp.And) else _only(where):
        test = condition.unnest()
        is_strict, test = isinstance(test, exp.Not), test.this.unnest() if isinstance(test, exp.Not) else test
        if isinstance(test, exp.Is):
            is_strict = (is_strict or bool(test.args.get("negate"))) and isinstance(test.expression, exp.Null)
        else:
            is_strict = True
        sides = (test.this, test.expression) if isinstance(test, _STRICT) else ()
        if is_strict and any(isinstance(side, exp.Column) and side.name.lower() == column.lower() for side in sides):
            return True
    return False


def _only(where: exp.Expr | None) -> tuple[exp.Expr, ...]:
    return (where.this,) if where is not None else ()


def _is_strict(term: Term) -> bool:
    if term.kind is TermKind.NULL or term.expression.lower().startswith(_KEEPS_NULL):
        return False
    # IS TRUE and its like say nothing when they are negated
    return term.operator != "IS" or not term.is_negated or term.operand == "null"


def _label(found: Found | None) -> str:
    ref = found.plain if found is not None else None
    return f"{ref.scan.table}.{ref.column}" if ref is not None else ""


def _rewrite(text: LintedText, left: exp.Expr, found: Found | None, query: exp.Expr) -> str:
    """Return the test as NOT EXISTS; "" where it cannot be said by adding one condition."""
    select = query.unnest()
    parts = ("group", "having", "windows", "with", "with_", "offset")
    is_plain = isinstance(select, exp.Select) and limit_of(select) is None and not any(map(select.args.get, parts))
    inner = text.scope(select)
    if not is_plain or found is None or inner is None or text.names.key(found.leaf.alias) in inner.leaves:
        return ""
    changed = select.copy()
    item, column = changed.expressions[0].unalias(), left.unnest()
    if not isinstance(changed, exp.Select) or not isinstance(item, exp.Column) or not isinstance(column, exp.Column):
        return ""
    for part in ("distinct", "order"):
        changed.set(part, None)
    changed.set("expressions", [exp.Literal.number(1)])
    is_folded = text.names.is_postgres and found.leaf.alias != found.leaf.alias.lower()
    alias = exp.to_identifier(found.leaf.alias, quoted=is_folded or None)
    qualified = exp.column(column.this.copy(), table=alias)
    changed.where(exp.EQ(this=item.copy(), expression=qualified), copy=False)
    return f"NOT EXISTS ({text.spelled(changed).replace('SELECT ?', 'SELECT 1', 1)})"
