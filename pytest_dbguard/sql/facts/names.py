"""How names are compared: PostgreSQL folds what is not quoted to small letters, to SQLite case is nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from pytest_dbguard.sql.facts.writing import Writing

_SYSTEM = {
    "postgresql": frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}),
    "sqlite": frozenset({"rowid", "oid", "_rowid_"}),
}
_WRITTEN = {
    "INT": "INTEGER",
    "DECIMAL": "NUMERIC",
    "DOUBLE": "DOUBLE PRECISION",
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
}


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one statement: its dialect, the columns of tables as far as they are known, and its text."""

    dialect: str
    columns: Mapping[str, Sequence[str]]
    writing: Writing | None = None
    is_postgres: bool = field(init=False)
    """Whether names follow PostgreSQL's rules."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_postgres", self.dialect == "postgresql")

    @property
    def sqlglot_dialect(self) -> str:
        """What sqlglot calls the dialect."""
        return "postgres" if self.is_postgres else "sqlite"

    def name(self, node: exp.Expr | str | None) -> str:
        """Return a name as the database reads it; "" for none."""
        if node is None or isinstance(node, str):
            return node or ""
        text = node.args.get("this")
        name: str = text if isinstance(text, str) else node.name
        return name.lower() if self.is_postgres and not node.args.get("quoted") else name

    def key(self, name: str) -> str:
        """Return what equal names have in common."""
        return name if self.is_postgres else name.lower()

    def columns_of(self, table: str, schema: str) -> dict[str, str] | None:
        """Return the columns of a table by their keys; None where they are not known."""
        for label in (f"{schema}.{table}", table) if schema else (table,):
            found = self.columns.get(label)
            if found is None and not self.is_postgres:
                lowered = label.lower()
                found = next((self.columns[name] for name in self.columns if name.lower() == lowered), None)
            if found is not None:
                return {self.key(column): column for column in found}
        return None

    def is_system(self, name: str) -> bool:
        """Whether each table has a column of this name without declaring it."""
        return name.lower() in _SYSTEM[self.dialect]

    def type_name(self, node: exp.Expr | None) -> str:
        """Return a type in capitals, the common ones as SQLAlchemy writes them."""
        if not isinstance(node, exp.DataType):
            return ""
        # SQLite's generator makes REAL of NUMERIC, which has another affinity
        text = "NUMERIC" if node.is_type("decimal") and not self.is_postgres else node.sql(self.sqlglot_dialect).upper()
        base, opening, length = text.partition("(")
        if not opening:
            base = text.rstrip("[]0123456789") if text.endswith("]") else text
            length = text[len(base) :]
        return _WRITTEN.get(base, base) + opening + length


def arg(node: exp.Expr, name: str) -> exp.Expr | None:
    """Return an argument which sqlglot's versions call by different names: `from`, `with`."""
    found = node.args.get(f"{name}_") or node.args.get(name)
    return found if isinstance(found, exp.Expression) else None
