"""A lab whose plans a test decides: by the text, the candidates that are visible, and the rows of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from pytest_dbguard.planning.lab.base import Explained, IndexSize, IndexSpec, LabDescription, LabError, Rung
from pytest_dbguard.planning.plan import Access, Node, Plan
from pytest_dbguard.planning.statistics.model import Statistics, TableStatistics
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, Table

Script = Callable[[str, frozenset[str], float], Plan | None]


class ScriptedLab:
    """Names candidates by their columns, `orders(city)`; `asked` keeps what was explained."""

    def __init__(self, script: Script, *, dialect: str = "postgresql", catalog: Catalog | None = None) -> None:
        self.description = LabDescription(dialect, "18.1", Rung.FORGED, "scripted")
        self.catalog = catalog or Catalog(Dialect(dialect))
        self.statistics = Statistics()
        self.refused: set[str] = set()
        self.asked: list[tuple[str, frozenset[str]]] = []
        self.sizes: list[float] = []
        self.is_resizable = True
        self._script = script
        self._shown: frozenset[str] = frozenset()
        self._rows = 100_000.0

    def explain(self, sql: str) -> Explained:
        self.asked.append((sql, self._shown))
        plan = self._script(sql, self._shown, self._rows)
        return Explained(plan, "" if plan is not None else "refused")

    def add(self, candidates: Iterable[IndexSpec]) -> tuple[str, ...]:
        names = (name_of(each) for each in candidates)
        return tuple("" if name in self.refused else name for name in names)

    @contextmanager
    def visible(self, *, shown: Sequence[str] = (), hidden: Sequence[str] = ()) -> Iterator[None]:
        before, self._shown = self._shown, frozenset(shown)
        yield
        self._shown = before

    def size_of(self, name: str) -> IndexSize:
        return IndexSize(271, 1)

    @contextmanager
    def at_rows(self, table: str, rows: float, schema: str = "") -> Iterator[None]:
        if not self.is_resizable:
            raise LabError("sizes are fixed")
        self.sizes.append(rows)
        before, self._rows = self._rows, rows
        yield
        self._rows = before

    def close(self) -> None: ...


def name_of(spec: IndexSpec) -> str:
    return f"{spec.table}({','.join(spec.keys)})"


def index_on(table: str, *columns: str, **more: object) -> IndexSpec:
    return IndexSpec("", table, columns, columns, **more)


def scan_of(table: str, cost: float | None = None, *, index: str = "", alias: str = "") -> Node:
    """A node that reads a table, from end to end unless an index is named."""
    condition = (("Index Cond", "(x = ?)"),) if index else ()
    text = f"SEARCH {table} USING INDEX {index}" if index else f"SCAN {table}"
    access = Access.INDEX if index else Access.SEQUENTIAL
    return Node(
        access, text, table=table, alias=alias or table, index=index, total_cost=cost, condition=condition, rows=None
    )


def plan_of(*nodes: Node, cost: float | None = None) -> Plan:
    return Plan(Node(Access.OTHER, "Limit", children=nodes, total_cost=cost), cost)


def orders() -> Table:
    columns = (Column("id", "integer", nullable=False), Column("city", "text"), Column("customer_id", "integer"))
    return Table("", "orders", columns=columns, primary_key=("id",))


def sizes(**rows: float) -> Statistics:
    return Statistics(tuple(TableStatistics("", name, number) for name, number in sorted(rows.items())))
