"""Reads what PostgreSQL's EXPLAIN (FORMAT JSON) says, of 14 to 18, into a plan without literals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from pytest_dbguard.planning.lab.base import LabError
from pytest_dbguard.planning.plan import Access, Node, Plan
from pytest_dbguard.planning.plan_text import without_literals

_ACCESS: Final = MappingProxyType(
    {
        "Seq Scan": Access.SEQUENTIAL,
        "Index Scan": Access.INDEX,
        "Index Only Scan": Access.INDEX_ONLY,
        "Bitmap Heap Scan": Access.BITMAP,
        "Bitmap Index Scan": Access.BITMAP,
        "BitmapAnd": Access.BITMAP,
        "BitmapOr": Access.BITMAP,
        "Sort": Access.SORT,
        "Incremental Sort": Access.SORT,
        "Hash": Access.HASH,
        "Nested Loop": Access.NESTED_LOOP,
        "Hash Join": Access.HASH_JOIN,
        "Merge Join": Access.MERGE_JOIN,
        "Aggregate": Access.AGGREGATE,
        "Group": Access.AGGREGATE,
        "WindowAgg": Access.AGGREGATE,
        "Unique": Access.AGGREGATE,
        "SetOp": Access.AGGREGATE,
        "Materialize": Access.TEMPORARY,
    }
)
_CONDITIONS: Final = (
    "Index Cond",
    "Recheck Cond",
    "Hash Cond",
    "Merge Cond",
    "Join Filter",
    "TID Cond",
    "Filter",
    "One-Time Filter",
    "Order By",
    "Run Condition",
    "Window",
    "Group Key",
    "Presorted Key",
    "Cache Key",
    "Conflict Filter",
)
_AGGREGATES: Final = MappingProxyType(
    {"Hashed": "HashAggregate", "Sorted": "GroupAggregate", "Mixed": "MixedAggregate"}
)
_BELOW_A_NAME: Final = frozenset({"SubPlan", "InitPlan"})


def parse_postgres(explain_json: str | list[Any] | Mapping[str, Any]) -> Plan:
    """Return the plan that `EXPLAIN (FORMAT JSON)` describes, with or without VERBOSE, COSTS and SETTINGS.

    Subplans and CTEs stand below a node of their own that bears their name, as in the text format. Output lists,
    function calls and sampling parameters are left out.

    Raises:
        LabError: When there is no plan in it, as of statements that are not planned.
    """
    value = json.loads(explain_json) if isinstance(explain_json, str) else explain_json
    first = value[0] if isinstance(value, list) and value else value
    if not isinstance(first, Mapping) or not isinstance(first.get("Plan"), Mapping):
        raise LabError("PostgreSQL does not plan this statement")
    root = _node(first["Plan"])
    settings = sorted((str(name), str(setting)) for name, setting in first.get("Settings", {}).items())
    return Plan(root, root.total_cost, tuple(settings))


def _node(value: Mapping[str, Any]) -> Node:
    kind = value["Node Type"]
    return Node(
        access=_ACCESS.get(kind, Access.OTHER),
        text=_text(value),
        table=_table(value),
        alias=value.get("Alias", ""),
        schema=value.get("Schema", ""),
        index=value.get("Index Name", ""),
        rows=value.get("Plan Rows"),
        width=value.get("Plan Width"),
        startup_cost=value.get("Startup Cost"),
        total_cost=value.get("Total Cost"),
        condition=tuple((name, _joined(value[name])) for name in _CONDITIONS if name in value),
        sort_key=tuple(map(without_literals, value.get("Sort Key", ()))),
        children=tuple(map(_child, value.get("Plans", ()))),
        is_partial=bool(value.get("Parallel Aware")) or value.get("Partial Mode") == "Partial",
    )


def _child(value: Mapping[str, Any]) -> Node:
    """Return a node that another reads from; one that is evaluated aside stands below its name."""
    node = _node(value)
    name = value.get("Subplan Name")
    if not name or value.get("Parent Relationship") not in _BELOW_A_NAME:
        return node
    # until 16 an InitPlan says in which parameter it puts what it returns
    return Node(
        Access.SUBPLAN, name.partition(" (returns ")[0], rows=node.rows, width=node.width,
        startup_cost=node.startup_cost, total_cost=node.total_cost, children=(node,),
    )  # fmt: skip


def _joined(value: str | Iterable[str]) -> str:
    return without_literals(value) if isinstance(value, str) else ", ".join(map(without_literals, value))


def _table(value: Mapping[str, Any]) -> str:
    """Return the table that a node reads or writes; a CTE, a function and a subquery are none."""
    table: str = value.get("Relation Name", "")
    return table


def _text(value: Mapping[str, Any]) -> str:
    """Return how the text format heads the node: `Index Scan using ix_orders_city on orders o`."""
    name = _name(value)
    index = value.get("Index Name", "")
    if value["Node Type"] == "Bitmap Index Scan":
        return f"{name} on {index}"
    using = f" using {index}" if index else ""
    return f"{name}{using}{_target(value)}"


def _name(value: Mapping[str, Any]) -> str:
    kind: str = value["Node Type"]
    if kind == "ModifyTable":
        return str(value.get("Operation", kind))
    if kind == "Aggregate":
        kind = _AGGREGATES.get(value.get("Strategy", ""), kind)
        mode = value.get("Partial Mode", "Simple")
        kind = kind if mode == "Simple" else f"{mode} {kind}"
    elif kind == "SetOp":
        kind = f"{'Hash' if value.get('Strategy') == 'Hashed' else ''}SetOp {value.get('Command', '')}".rstrip()
    elif value.get("Join Type", "Inner") != "Inner":
        kind = f"{kind.removesuffix(' Join')} {value['Join Type']} Join"
    parallel = "Parallel " if value.get("Parallel Aware") else ""
    backward = " Backward" if value.get("Scan Direction") == "Backward" else ""
    return f"{parallel}{kind}{backward}"


def _target(value: Mapping[str, Any]) -> str:
    """Return ` on orders o`: what is read, and its alias where that differs; "" for nodes that read other nodes."""
    names = ("Relation Name", "CTE Name", "Function Name", "Table Function Name", "Tuplestore Name")
    name = next((value[key] for key in names if value.get(key)), "")
    alias = value.get("Alias", "")
    if not name:
        return f" on {alias}" if alias else ""
    schema = value.get("Schema", "public")
    shown = name if schema in ("public", "pg_catalog") else f"{schema}.{name}"
    return f" on {shown}" + (f" {alias}" if alias and alias != name else "")
