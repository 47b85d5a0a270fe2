"""Advice as JSON values."""

from __future__ import annotations

from typing import Any

from pytest_dbguard.planning.advice.model import Advice, AdvisedIndex, StatementCost
from pytest_dbguard.planning.candidates.spelling import alembic_code, ddl, name_of, sqlalchemy_code
from pytest_dbguard.schema.catalog import Catalog

FORMAT = 1
"""Version of the JSON. 1: costs in the planner's units, sizes in bytes, shares from 0 to 1; statements by shape,
without literals."""


def advice_document(advice: Advice, catalog: Catalog) -> dict[str, Any]:
    """Return all of an advice as JSON values."""
    return {
        "format": FORMAT,
        "dialect": catalog.dialect.value,
        "basis": advice.basis.value,
        "ending": advice.ending.value,
        "elapsed_s": round(advice.elapsed_s, 3),
        "explains": advice.explains,
        "lab": advice.lab.reason,
        "cost_before": round(advice.cost_before, 2),
        "cost_after": round(advice.cost_after, 2),
        "write_cost": round(advice.write_cost, 2),
        "size_bytes": advice.size_bytes,
        "budget_bytes": advice.budget_bytes,
        "indexes": [_index(each, catalog) for each in advice.indexes],
        "drops": [
            {"table": each.table, "name": each.name, "reason": each.reason, "size_bytes": each.size_bytes}
            for each in advice.drops
        ],
        "statements": [_statement(each) for each in advice.statements],
        "path": [{"size_bytes": step.size_bytes, "cost": round(step.cost, 2)} for step in advice.path],
        "not_analysed": dict(advice.not_analysed),
        "told": list(advice.told),
    }


def _index(index: AdvisedIndex, catalog: Catalog) -> dict[str, Any]:
    name = name_of(index.spec)
    return {
        "name": name,
        "schema": index.spec.schema,
        "table": index.spec.table,
        "keys": list(index.spec.keys),
        "include": list(index.spec.include),
        "predicate": index.spec.predicate,
        "method": index.spec.method,
        "size_bytes": index.size_bytes,
        "benefit": round(index.benefit, 5),
        "write_cost": round(index.write_cost, 2),
        "serves": list(index.serves),
        "replaces": list(index.replaces),
        "beside": index.beside,
        "sql": ddl(index.spec, catalog.dialect),
        "sqlalchemy": sqlalchemy_code(index.spec, name),
        "alembic": alembic_code(index.spec, name, catalog.dialect),
    }


def _statement(each: StatementCost) -> dict[str, Any]:
    return {
        "shape": each.shape.id,
        "text": each.shape.text,
        "weight": round(each.weight, 3),
        "before": round(each.before, 2),
        "after": round(each.after, 2),
        "indexes": list(each.indexes),
    }
