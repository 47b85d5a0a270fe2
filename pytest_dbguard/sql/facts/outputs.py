"""What a query gives to the one around it, and how far conditions on that arrive within."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from pytest_dbguard.sql.facts.model import Wrapping
from pytest_dbguard.sql.facts.names import arg
from pytest_dbguard.sql.facts.operands import Operand
from pytest_dbguard.sql.facts.scans import Leaf, Output, QueryInfo, Reach, Ref
from pytest_dbguard.sql.facts.scopes import Scope
from pytest_dbguard.sql.facts.trees import children

# aggregates that sqlglot does not know as such
_AGGREGATES = frozenset(
    {"json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg", "every", "bool_and", "bool_or", "xmlagg"}
    | {"range_agg", "string_agg", "group_concat", "total", "json_group_array", "json_group_object", "array_agg"}
    | {"mode", "percentile_cont", "percentile_disc", "regr_slope", "corr", "bit_and", "bit_or", "any_value"}
)


def aggregates(select: exp.Select) -> bool:
    """Whether rows are gathered to groups, or to one."""
    parts = [*select.expressions, select.args.get("having"), arg(select, "order")]
    return select.args.get("group") is not None or any(map(_aggregates, filter(None, parts)))


def windows(select: exp.Select) -> list[exp.Expr]:
    """Return the window functions of a query, those of queries in it left out."""
    found: list[exp.Expr] = []
    for expression in (*select.expressions, *filter(None, [arg(select, "order")])):
        found += (node for node in _own(expression) if isinstance(node, exp.Window))
    return found


def is_limited(select: exp.Expr) -> bool:
    """Whether a query tells how many rows it wants, or from which one on."""
    return select.args.get("limit") is not None or select.args.get("offset") is not None


def fill_outputs(info: QueryInfo, select: exp.Select, scope: Scope, tree_leaves: list[Leaf]) -> bool:
    """Add the columns that a SELECT list gives; return whether it gathers rows by aggregates, or has windows."""
    is_grouped = aggregates(select)
    over = windows(select)
    distinct = select.args.get("distinct")
    info.is_simple = not (is_grouped or over or distinct is not None or is_limited(select))
    cap = Reach.NONE if is_limited(select) else Reach.ALL if info.is_simple else Reach.VALUES
    fences = _fences(select, scope, over, is_grouped=is_grouped)
    free = {id(leaf) for leaf in info.free}
    for expression in select.expressions:
        if isinstance(expression, exp.Star) or isinstance(expression.args.get("this"), exp.Star):
            _add_star(info, expression, scope, tree_leaves, cap if not fences else Reach.NONE, free)
        else:
            is_aggregate = is_grouped and _aggregates(expression)
            info.outputs.append(_output(expression, scope, cap, fences, free, is_aggregate=is_aggregate))
    return is_grouped or bool(over)


def _fences(select: exp.Select, scope: Scope, over: list[exp.Expr], *, is_grouped: bool) -> list[set[tuple[int, str]]]:
    """Return the sets of columns, by scan and name, of which a column must be in each to let conditions pass."""
    fences = [list(window.args.get("partition_by") or ()) for window in over]
    group = select.args.get("group")
    if is_grouped:
        fences.append([_numbered(key, select) for key in group.expressions] if group is not None else [])
    distinct = select.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        fences.append(list(distinct.args["on"].expressions) or [distinct.args["on"].unnest()])
    return [
        {(id(ref.scan), ref.column) for key in keys for found in Operand(key, scope).found for ref in found.refs}
        for keys in fences
    ]


def _numbered(key: exp.Expr, select: exp.Select) -> exp.Expr:
    """Return the expression of the SELECT list that GROUP BY 1 means."""
    if isinstance(key, exp.Literal) and not key.is_string and key.name.isdigit():
        number = int(key.name) - 1
        if 0 <= number < len(select.expressions):
            item: exp.Expr = select.expressions[number]
            return item.unalias()
    return key


def _output(
    expression: exp.Expr,
    scope: Scope,
    cap: Reach,
    fences: list[set[tuple[int, str]]],
    free: set[int],
    *,
    is_aggregate: bool,
) -> Output:
    operand = Operand(expression.unalias(), scope)
    if isinstance(expression, exp.Alias | exp.Column):
        name = scope.names.name(expression.args.get("alias")) or scope.names.name(expression.args.get("this"))
    else:
        name = expression.alias_or_name
    if len(operand.found) != 1 or operand.has_query or not operand.is_known or is_aggregate:
        return Output(name)
    found = operand.found[0]
    is_plain = isinstance(operand.node.unnest(), exp.Column)
    refs = []
    for ref in found.refs:
        passes = all((id(ref.scan), ref.column) in fence for fence in fences)
        reach = min(ref.reach, cap) if passes and found.is_local and id(found.leaf) in free else Reach.NONE
        refs.append(_wrapped(ref, operand, reach, is_plain=is_plain))
    return Output(name, tuple(refs))


def _wrapped(ref: Ref, operand: Operand, reach: Reach, *, is_plain: bool) -> Ref:
    if is_plain:
        return replace(ref, reach=reach)
    if ref.expression is not None:
        # what is done to what was done: nobody writes an index for it
        return replace(ref, reach=Reach.NONE, wrapping=Wrapping.FUNCTION)
    return Ref(ref.scan, ref.column, reach, operand.wrapping, operand.node)


def _add_star(
    info: QueryInfo, expression: exp.Expr, scope: Scope, tree_leaves: list[Leaf], cap: Reach, free: set[int]
) -> None:
    table = expression.args.get("table") if isinstance(expression, exp.Column) else None
    key = scope.names.key(scope.names.name(table)) if table is not None else ""
    meant = [leaf for leaf in tree_leaves if table is None or scope.names.key(leaf.alias) == key]
    for leaf in meant:
        reach = cap if id(leaf) in free else Reach.NONE
        if leaf.scan is not None and leaf.scan.known is not None:
            info.outputs += (Output(name, (Ref(leaf.scan, name, reach),)) for name in leaf.scan.known.values())
        for output in leaf.outputs.values():
            refs = tuple(replace(ref, reach=min(ref.reach, reach)) for ref in output.refs)
            info.outputs.append(Output(output.name, refs))
        if leaf.is_open or (leaf.scan is not None and leaf.scan.known is None):
            info.is_open = True
    open_ones = [leaf for leaf in meant if leaf.is_open or (leaf.scan is not None and leaf.scan.known is None)]
    info.rest = (open_ones[0].scan or open_ones[0].rest) if len(open_ones) == 1 and not info.outputs else None


def _aggregates(expression: exp.Expr) -> bool:
    """Whether an expression holds an aggregate that is no window function."""
    for node in _own(expression):
        is_one = isinstance(node, exp.AggFunc) or (isinstance(node, exp.Anonymous) and node.name.lower() in _AGGREGATES)
        if is_one and not _is_windowed(node):
            return True
    return False


def _is_windowed(node: exp.Expr) -> bool:
    parent = node.parent
    while isinstance(parent, exp.Filter | exp.WithinGroup | exp.IgnoreNulls | exp.RespectNulls):
        node, parent = parent, parent.parent
    return isinstance(parent, exp.Window) and parent.this is node


def _own(expression: exp.Expr) -> list[exp.Expr]:
    """Return the nodes of an expression, those of queries in it left out."""
    nodes: list[exp.Expr] = []
    pending = [expression]
    while pending:
        node = pending.pop()
        if not isinstance(node, exp.Query) or (isinstance(node, exp.Subquery) and not isinstance(node.this, exp.Query)):
            nodes.append(node)
            pending += children(node) if not isinstance(node, exp.Column) else ()
    return nodes
