"""The facts of one statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlglot import exp

from pytest_dbguard.sql.facts.model import StatementFacts
from pytest_dbguard.sql.facts.names import Names, arg
from pytest_dbguard.sql.facts.text import NotUnderstood, tree_of
from pytest_dbguard.sql.facts.writes import WriteAnalyst

_CHANGES: Mapping[type[exp.Expr], str] = {
    exp.Insert: "INSERT",
    exp.Update: "UPDATE",
    exp.Delete: "DELETE",
    exp.Merge: "MERGE",
}


def statement_facts(sql: str, *, dialect: str, columns: Mapping[str, Sequence[str]]) -> StatementFacts:
    """Return what parsing tells of a statement (`Explainable.sql`); never raises. About 2 ms for a usual one.

    Args:
        sql: With `$1`, ... for PostgreSQL, with `?` for SQLite.
        dialect: "postgresql" or "sqlite".
        columns: Columns of tables, by `table` or `schema.table`; what is missing is not known.
    """
    try:
        tree, writing = tree_of(sql, dialect)
        return _facts(tree, Names(dialect, columns, writing))
    except NotUnderstood as reason:
        return StatementFacts(problem=str(reason))
    except RecursionError:
        return StatementFacts(problem="too deep")
    except Exception as error:  # noqa: BLE001  a tree that nobody thought of is no reason to fail somebody's tests
        return StatementFacts(problem=f"not understood ({type(error).__name__})")


def _facts(tree: exp.Expr, names: Names) -> StatementFacts:
    analyst = WriteAnalyst(names, _uses(tree, names))
    verb = _CHANGES.get(type(tree), "SELECT")
    if verb == "SELECT":
        analyst.query(tree, None, None, {})
    else:
        analyst.change(tree, None, None, {})
    scans = tuple(scan.finished() for scan in analyst.scans)
    named = [(scan.schema, scan.table) for scan in scans] + [(w.schema, w.table) for w in analyst.written]
    return StatementFacts(
        scans=scans,
        joins=tuple(analyst.joins),
        written=tuple(analyst.written),
        verb=verb,
        tables=tuple(dict.fromkeys(f"{schema}.{table}" if schema else table for schema, table in named)),
        unresolved=tuple(analyst.unresolved),
    )


def _uses(tree: exp.Expr, names: Names) -> Mapping[str, int]:
    """Return how often each name stands for a table, where there is a WITH."""
    if arg(tree, "with") is None and tree.find(exp.With) is None:
        return {}
    tables = (table for table in tree.find_all(exp.Table) if table.args.get("db") is None)
    return Counter(names.key(names.name(table.this)) for table in tables if isinstance(table.this, exp.Identifier))
