"""ORDER BY, GROUP BY, DISTINCT and LIMIT of one query, as its scans see them."""

from __future__ import annotations

from sqlglot import exp

from pytest_dbguard.sql.facts.model import SortKey, Wrapping
from pytest_dbguard.sql.facts.names import arg
from pytest_dbguard.sql.facts.operands import Operand
from pytest_dbguard.sql.facts.scans import Leaf, Reach, Ref, ScanDraft
from pytest_dbguard.sql.facts.scopes import Scope
from pytest_dbguard.sql.facts.text import ordinal_of


def set_order(select: exp.Expr, scope: Scope, free: list[Leaf], *, gathers: bool = False) -> None:
    """Give ORDER BY and LIMIT to the scans that they are about: none where groups or windows stand between."""
    items = select.expressions if isinstance(select, exp.Select) else []
    if gathers or _is_distinct(select):
        return
    has_limit, ordinal = _limit(select)
    free_scans = [leaf.scan for leaf in free if leaf.scan is not None]
    sorted_by = _keys(select, items, scope, {id(leaf) for leaf in free})
    if sorted_by is None:
        # it is read to its end before it is sorted
        return
    scans, keys = sorted_by
    for scan in scans:
        scan.order = keys
    for scan in scans or free_scans:
        scan.has_limit = scan.has_limit or has_limit
        scan.limit_ordinal = ordinal if scan.limit_ordinal is None else scan.limit_ordinal


def _is_distinct(select: exp.Expr) -> bool:
    """Whether rows do not come out as they are read."""
    distinct = select.args.get("distinct") if isinstance(select, exp.Select) else None
    return distinct is not None and distinct.args.get("on") is None


def set_groups(select: exp.Select, scope: Scope) -> None:
    """Give the columns of GROUP BY and DISTINCT to their scans."""
    group, distinct = select.args.get("group"), select.args.get("distinct")
    keys: list[exp.Expr] = []
    if group is not None:
        keys += (_meant(key, select.expressions, scope, prefers_alias=False) for key in group.expressions)
    if distinct is not None:
        on = distinct.args.get("on")
        keys += select.expressions if on is None else (on.expressions or [on.unnest()])
    for key in keys:
        operand = Operand(key.unalias(), scope)
        ref = _single(operand)
        is_plain = ref is not None and operand.wrapping is Wrapping.NONE and ref.reach is Reach.ALL
        if ref is not None and is_plain and ref.column not in ref.scan.groups:
            ref.scan.groups += (ref.column,)


def _limit(select: exp.Expr) -> tuple[bool, int | None]:
    limit = select.args.get("limit")
    if limit is None:
        return False, None
    count = limit.args.get("count") if isinstance(limit, exp.Fetch) else limit.args.get("expression")
    if count is None:
        # FETCH FIRST ROW ONLY
        return isinstance(limit, exp.Fetch), None
    core = count.unnest()
    while isinstance(core, exp.Cast):
        core = core.this.unnest()
    # LIMIT ALL, LIMIT NULL, SQLite's LIMIT -1
    is_all = isinstance(core, exp.Var | exp.Column) and core.name.upper() == "ALL"
    return not is_all and not isinstance(core, exp.Null | exp.Neg), ordinal_of(core)


def _keys(
    select: exp.Expr, items: list[exp.Expr], scope: Scope, free: set[int]
) -> tuple[list[ScanDraft], tuple[SortKey, ...]] | None:
    """Return the scan that all keys are of, and the keys; neither without any, None where several have a part in it."""
    order = arg(select, "order")
    scans: dict[int, ScanDraft] = {}
    keys: list[SortKey] = []
    for ordered in order.expressions if order is not None else ():
        key = _meant(ordered.this, items, scope, prefers_alias=True)
        operand = Operand(key, scope)
        if operand.kind in ("literal", "parameter", "null"):
            continue
        ref = _single(operand)
        if ref is None or ref.reach is not Reach.ALL or id(operand.found[0].leaf) not in free:
            return None
        scans[id(ref.scan)] = ref.scan
        keys.append(_sort_key(ordered, operand, ref, scope))
    return (list(scans.values()), tuple(keys)) if len(scans) < 2 else None


def _sort_key(ordered: exp.Expr, operand: Operand, ref: Ref, scope: Scope) -> SortKey:
    is_plain = operand.wrapping is Wrapping.NONE
    descending = bool(ordered.args.get("desc"))
    nulls_first = bool(ordered.args.get("nulls_first"))
    default = descending if scope.names.is_postgres else not descending
    expression = ref.column if is_plain else operand.text(ref)
    return SortKey(
        ref.column if is_plain else None, expression, descending, None if nulls_first == default else nulls_first
    )


def _single(operand: Operand) -> Ref | None:
    """Return the one column that an operand is made of."""
    is_one = operand.is_known and not operand.has_query and len(operand.found) == 1
    found = operand.found[0] if is_one else None
    return found.refs[0] if found is not None and found.is_local and len(found.refs) == 1 else None


def _meant(key: exp.Expr, items: list[exp.Expr], scope: Scope, *, prefers_alias: bool) -> exp.Expr:
    """Return the expression that a key stands for: the third of the list, or the one of that name."""
    if isinstance(key, exp.Literal) and not key.is_string and key.name.isdigit():
        number = int(key.name) - 1
        return items[number].unalias() if number in range(len(items)) else key
    if isinstance(key, exp.Column) and key.args.get("table") is None:
        name = scope.names.key(scope.names.name(key.this))
        aliased = (item for item in items if isinstance(item, exp.Alias))
        named = (item.this for item in aliased if scope.names.key(scope.names.name(item.args["alias"])) == name)
        found: exp.Expr | None = next(named, None)
        if found is not None and (prefers_alias or scope.find(key) is None):
            return found
    return key
