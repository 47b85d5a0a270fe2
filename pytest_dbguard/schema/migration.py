"""What a migration does, as far as its source tells: steps with their places."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pytest_dbguard.core.findings import Site


class StepKind(StrEnum):
    """What a step changes."""

    CREATE_TABLE = "create table"
    DROP_TABLE = "drop table"
    RENAME_TABLE = "rename table"
    EMPTY_TABLE = "empty table"
    CREATE_INDEX = "create index"
    DROP_INDEX = "drop index"
    ADD_COLUMN = "add column"
    DROP_COLUMN = "drop column"
    ALTER_TYPE = "alter type"
    SET_NOT_NULL = "set not null"
    ADD_CONSTRAINT = "add constraint"
    VALIDATE_CONSTRAINT = "validate constraint"
    DROP_CONSTRAINT = "drop constraint"
    SET_TIMEOUT = "set timeout"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Step:
    """One change.

    Attributes:
        kind: What it is.
        site: The call or the statement.
        table: As written, `schema.table` where a schema is named; "" where there is none or nobody can tell.
        name: Of the index, column or constraint; "" where it has none. Of a timeout the setting, of a table that is
            renamed the new name.
        type: The new type of a column, in SQL as far as that is known; "" otherwise.
        old_type: The type before, where the source tells; "" otherwise.
        is_nullable: Of a new column; None where the source does not tell.
        has_default: Whether a new column has a server default.
        is_default_volatile: Whether that default is computed for each row.
        is_concurrent: Whether an index is made or dropped CONCURRENTLY.
        in_autocommit: Whether it runs outside of the migration's transaction (`autocommit_block`).
        constraint: "foreign key", "check", "unique", "primary key", "exclude"; "" otherwise.
        is_valid: Whether a new constraint is checked against all rows at once (no NOT VALID).
        columns: Columns of an index or constraint; of a check those of which it says no more than IS NOT NULL.
        has_using: Whether a change of type says how to convert (USING).
        has_index: Whether a new constraint takes over an index that exists (USING INDEX).
        is_exclusive: Whether a change of kind OTHER keeps even readers away from the table (ACCESS EXCLUSIVE).
    """

    kind: StepKind
    site: Site
    table: str = ""
    name: str = ""
    type: str = ""
    old_type: str = ""
    is_nullable: bool | None = None
    has_default: bool = False
    is_default_volatile: bool = False
    is_concurrent: bool = False
    in_autocommit: bool = False
    constraint: str = ""
    is_valid: bool = True
    columns: tuple[str, ...] = ()
    has_using: bool = False
    has_index: bool = False
    is_exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Migration:
    """One script.

    Attributes:
        path: Relative to the root, with "/".
        dialect: "postgresql", "sqlite", "mysql"; "" where nothing tells, then PostgreSQL is assumed.
        steps: Of the upgrade, in order.
        revision: Alembic's; "" for a SQL file.
        is_transactional: Whether steps run in one transaction unless they say otherwise.
        is_first: Whether it is the first of its history, so that it finds no tables.
    """

    path: str
    dialect: str = ""
    steps: tuple[Step, ...] = ()
    revision: str = ""
    is_transactional: bool = True
    is_first: bool = False

    @property
    def created(self) -> frozenset[str]:
        """Tables that it makes itself: nobody waits for a lock on these, and they hold no rows.

        In small letters, without `public`, under all the names that they bear meanwhile.
        """
        names: set[str] = set()
        for step in self.steps:
            table, name = plain_name(step.table), plain_name(step.name)
            if step.kind is StepKind.CREATE_TABLE:
                names.add(table)
            elif step.kind is StepKind.RENAME_TABLE and table in names:
                schema, _, _ = table.rpartition(".")
                names.add(f"{schema}.{name}" if schema and "." not in name else name)
        return frozenset(names)

    def makes(self, table: str) -> bool:
        """Return whether a table is one that it makes itself."""
        return plain_name(table) in self.created


def plain_name(table: str) -> str:
    """Return a table's name as names are compared: in small letters, without the schema that is the default."""
    return table.lower().removeprefix("public.").removeprefix("dbo.").removeprefix("main.")
