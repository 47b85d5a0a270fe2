"""What a catalog holds, whatever database it was read from: frozen, comparable, and the same for the same schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Dialect(StrEnum):
    """The databases whose catalogs are read, by SQLAlchemy's names."""

    POSTGRESQL = "postgresql"
    SQLITE = "sqlite"


class RelationKind(StrEnum):
    """What a table is to the planner."""

    TABLE = "table"
    PARTITIONED = "partitioned"
    PARTITION = "partition"
    VIEW = "view"
    MATERIALIZED = "materialized"
    FOREIGN = "foreign"
    VIRTUAL = "virtual"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: As the database spells it.
        type: As the database writes it: `character varying(40)`, `INTEGER`; "" where none is declared.
        nullable: Whether it takes NULL.
        collation: Name of its collation where it is not the database's default; "" otherwise.
        default: Expression of the default, "" without one; never a literal of a row.
        is_generated: Whether it is computed from others.
        is_identity: Whether the database numbers it.
        labels: Number of labels of an enum type; 0 for other types.
        base_type: The type under a domain; "" for other types.
        is_virtual: Whether a generated column is computed when it is read.
        extension: The extension that its type comes from; "" otherwise.
    """

    name: str
    type: str
    nullable: bool = True
    collation: str = ""
    default: str = ""
    is_generated: bool = False
    is_identity: bool = False
    labels: int = 0
    base_type: str = ""
    is_virtual: bool = False
    extension: str = ""


@dataclass(frozen=True, slots=True)
class IndexKey:
    """One key of an index: a column or an expression, with all that decides what it can serve.

    Attributes:
        column: Name of the column; None for an expression.
        expression: SQL of the expression, as the database writes it; "" for a column.
        collation: Where it is not the column's own; "" otherwise.
        operator_class: Where it is not the default of the type, such as `text_pattern_ops`; "" otherwise.
        descending: Whether it sorts downwards.
        nulls_first: Whether NULLs come first; PostgreSQL's default is the value of `descending`.
    """

    column: str | None
    expression: str = ""
    collation: str = ""
    operator_class: str = ""
    descending: bool = False
    nulls_first: bool = False

    @property
    def label(self) -> str:
        """The column's name, or the expression."""
        return self.expression if self.column is None else self.column


@dataclass(frozen=True, slots=True)
class Index:
    """One index, also those that stand behind keys and unique constraints.

    Attributes:
        name: As the database spells it; SQLite's primary key by rowid has the name "".
        keys: In order.
        method: `btree`, `hash`, `gin`, `gist`, `spgist`, `brin`, or another access method; SQLite has only btree.
        is_unique: Whether it forbids equal keys.
        is_primary: Whether it is the primary key.
        is_constraint: Whether it belongs to a constraint, so that it cannot be dropped by itself.
        include: Columns that it carries without sorting by them.
        predicate: Condition of a partial index, as the database writes it; "" for a full one.
        nulls_distinct: Whether a unique index takes several NULLs.
        is_valid: Whether the planner may use it.
        ddl: Statement that makes it, as the database writes it; "" where it comes with its table.
        extension: The extension that its operator classes or functions come from; "" otherwise.
    """

    name: str
    keys: tuple[IndexKey, ...]
    method: str = "btree"
    is_unique: bool = False
    is_primary: bool = False
    is_constraint: bool = False
    include: tuple[str, ...] = ()
    predicate: str = ""
    nulls_distinct: bool = True
    is_valid: bool = True
    ddl: str = ""
    extension: str = ""

    @property
    def columns(self) -> tuple[str | None, ...]:
        """The columns of the keys in order; None stands for an expression."""
        return tuple(key.column for key in self.keys)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """One foreign key; actions in capitals, as in `ON DELETE CASCADE`."""

    name: str
    columns: tuple[str, ...]
    referred_schema: str
    referred_table: str
    referred_columns: tuple[str, ...]
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"


@dataclass(frozen=True, slots=True)
class Check:
    """One check constraint: its expression as the database writes it; the planner trusts it only where it is valid."""

    name: str
    expression: str
    is_valid: bool = True
    is_inherited: bool = True


@dataclass(frozen=True, slots=True)
class ExtendedStatistics:
    """One `CREATE STATISTICS` object: its kinds (`ndistinct`, `dependencies`, `mcv`), columns, and the statement."""

    name: str
    kinds: tuple[str, ...]
    columns: tuple[str, ...]
    ddl: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table, view or partition.

    Attributes:
        schema: Its schema; "" for SQLite, whose attached databases are not read.
        name: As the database spells it.
        kind: What it is to the planner.
        columns: In the table's order.
        primary_key: Columns of the primary key in order; () without one.
        indexes: All of them, those of keys and constraints included, by name.
        foreign_keys: By name, then columns.
        checks: By name.
        statistics: Extended statistics, by name.
        partition_key: `RANGE (at)` of a partitioned table; "" otherwise.
        partition_of: (schema, name) of the parent; None otherwise.
        partition_bound: `FOR VALUES FROM (...) TO (...)`; "" otherwise.
        view: The query of a view; "" otherwise.
        options: Storage options such as `fillfactor=70`.
        ddl: SQLite's own statement; "" for PostgreSQL.
        is_without_rowid: SQLite's WITHOUT ROWID.
        is_temporary: Whether it lives with one session.
        is_unlogged: Whether changes to it are not logged.
        parents: (schema, name) of the tables that it inherits from, other than by partitioning.
        reads: (schema, name) of the tables and views that a view reads.
    """

    schema: str
    name: str
    kind: RelationKind = RelationKind.TABLE
    columns: tuple[Column, ...] = ()
    primary_key: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    statistics: tuple[ExtendedStatistics, ...] = ()
    partition_key: str = ""
    partition_of: tuple[str, str] | None = None
    partition_bound: str = ""
    view: str = ""
    options: tuple[str, ...] = ()
    ddl: str = ""
    is_without_rowid: bool = False
    is_temporary: bool = False
    is_unlogged: bool = False
    parents: tuple[tuple[str, str], ...] = ()
    reads: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """The name as people write it: without the schema where that is `public` or none."""
        return self.name if self.schema in ("", "public") else f"{self.schema}.{self.name}"

    @property
    def holds_rows(self) -> bool:
        """Whether it is stored: a table, a partition, a materialized view."""
        return self.kind in (RelationKind.TABLE, RelationKind.PARTITION, RelationKind.MATERIALIZED)

    def column(self, name: str) -> Column | None:
        """Return a column by its name."""
        return next((column for column in self.columns if column.name == name), None)

    def uniques(self) -> Iterator[tuple[str, ...]]:
        """Yield the columns of each full unique index without expressions, the primary key first."""
        if self.primary_key:
            yield self.primary_key
        for index in self.indexes:
            columns = tuple(column for column in index.columns if column is not None)
            if index.is_unique and not index.predicate and len(columns) == len(index.keys) and not index.is_primary:
                yield columns


@dataclass(frozen=True, slots=True)
class Collation:
    """How the database sorts text by default: provider (`libc`, `icu`, `builtin`, "" for SQLite) and locale."""

    provider: str = ""
    locale: str = ""

    @property
    def is_c(self) -> bool:
        """Whether it sorts by code points, so that a plain index serves `LIKE 'abc%'`."""
        return self.locale.upper() in ("C", "POSIX") or (self.provider == "builtin" and self.locale.startswith("C"))


@dataclass(frozen=True, slots=True)
class Catalog:
    """One database as a planner sees it, without rows.

    Attributes:
        dialect: Which database.
        version: Version of the server or library, such as "18.1"; "" where it was made from `MetaData`.
        tables: By schema and name.
        collation: The database's default.
        search_path: Schemas in which names without a schema are looked for, in order; () for SQLite.
        prelude: Statements that must run before the tables are made: extensions, types, collations, functions that
            indexes and views need, in order. Made on another server by `schema.transcript`.
        source: "database" or "metadata".
        afterwards: Statements that need the tables: functions that take or return their rows.
    """

    dialect: Dialect
    version: str = ""
    tables: tuple[Table, ...] = ()
    collation: Collation = field(default_factory=Collation)
    search_path: tuple[str, ...] = ()
    prelude: tuple[str, ...] = ()
    source: str = "database"
    afterwards: tuple[str, ...] = ()

    def table(self, name: str, schema: str = "") -> Table | None:
        """Return a table by its name, and by its schema where that is told; else along the search path.

        Where no name matches as it is written, SQLite's tables are looked for without regard to case.
        """
        found = [table for table in self.tables if table.name == name and schema in ("", table.schema)]
        if not found and self.dialect is Dialect.SQLITE:
            found = [table for table in self.tables if table.name.lower() == name.lower()]
        places = {place: number for number, place in enumerate(self.search_path)}
        return min(found, key=lambda table: places.get(table.schema, len(places)), default=None)

    def columns_of(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the columns of tables by the names that were given; those that are not there are left out."""
        found = {name: self.table(*reversed(name.rsplit(".", 1))) for name in names}
        return {name: tuple(c.name for c in table.columns) for name, table in found.items() if table is not None}
