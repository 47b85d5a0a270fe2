"""DBG802: a foreign key of another type than what it refers to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import ClassVar, Final

from pytest_dbguard.core.findings import Finding, Fix, Remedy, Severity
from pytest_dbguard.planning.assessment import Assessment
from pytest_dbguard.planning.candidates.column_types import Family, family_of
from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.index_findings import IndexRule
from pytest_dbguard.rules.schema_findings import judged_tables
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, ForeignKey, Table
from pytest_dbguard.schema.quoting import quoted

_BITS: Final = (("bigint", 64), ("int8", 64), ("bigserial", 64), ("smallint", 16), ("int2", 16), ("smallserial", 16))
_WIDENED: Final[Mapping[Family, tuple[Family, ...]]] = {
    Family.INTEGER: (Family.DECIMAL, Family.FLOAT),
    Family.DECIMAL: (Family.FLOAT,),
    Family.VARCHAR: (Family.CHAR,),
    Family.TEXT: (Family.CHAR,),
    Family.CHAR: (Family.VARCHAR, Family.TEXT),
}
"""Types that PostgreSQL takes for a key to another type, since it converts them by itself."""
_TEXTS: Final = frozenset({Family.TEXT, Family.VARCHAR})


class MismatchedKeyTypes(IndexRule):
    """mismatched-key-types (DBG802).

    ## What it does
    Finds foreign keys whose columns are of another type, a smaller integer, or (SQLite) of another collation than the
    columns that they refer to.

    ## Why is this bad?
    A smaller integer is full long before the table that it refers to: then no row can be added. Of different types,
    each comparison converts one side, which its index does not hold. SQLite looks for what a key refers to by one
    collation, and joins by the other.

    ## Example
    ```python
    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "author"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[str] = mapped_column(String(20), ForeignKey("author.id"), index=True)

    Base.metadata.create_all(engine)
    session.get(Book, 3)
    ```

    ## Use instead
    ```python
    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "author"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), index=True)

    Base.metadata.create_all(engine)
    session.get(Book, 3)
    ```

    ## Options
    - `severity` (default "warning").

    ## Limits
    Lengths of texts do not count, nor a larger integer than the one that is referred to: both serve. SQLite stores
    integers of any size in any integer column.
    """

    code: ClassVar[str] = "DBG802"
    name: ClassVar[str] = "mismatched-key-types"
    severity: ClassVar[Severity] = Severity.WARNING
    stage: ClassVar[Stage] = Stage.STABLE

    def judge(self, assessment: Assessment) -> Iterable[Finding]:
        """Yield a finding for each pair of columns that do not match."""
        catalog = assessment.catalog
        for table in judged_tables(assessment):
            for key in table.foreign_keys:
                for column, referred, label in _pairs(catalog, key, table):
                    harm = _harm(column, referred, catalog.dialect)
                    if harm:
                        yield self._finding(table, column, (referred, label), harm, catalog.dialect)

    def _finding(self, table: Table, column: Column, other: tuple[Column, str], harm: str, dialect: Dialect) -> Finding:
        referred, label = other
        ours, theirs = _described(column), _described(referred)
        return Finding(
            rule=self.code,
            name=self.name,
            severity=self.severity,
            subject=f"{table.label}.{column.name}",
            message=f"`{table.label}.{column.name}` ({ours}) refers to `{label}` ({theirs}): {harm}",
            fix=Fix(f"give `{table.label}.{column.name}` the type of `{label}`"),
            remedies=_remedies(table, column, referred) if dialect is Dialect.POSTGRESQL else (),
        )


def _pairs(catalog: Catalog, key: ForeignKey, table: Table) -> Iterator[tuple[Column, Column, str]]:
    """Yield the columns of a key, what each refers to, and the name of that."""
    referred = catalog.table(key.referred_table, key.referred_schema)
    if referred is None:
        return
    # SQLite lets a key refer to a table without naming the columns: to its primary key
    for ours, theirs in zip(key.columns, key.referred_columns or referred.primary_key, strict=False):
        column, other = table.column(ours), referred.column(theirs)
        if column is not None and other is not None:
            yield column, other, f"{referred.label}.{theirs}"


def _harm(column: Column, referred: Column, dialect: Dialect) -> str:
    """Return what comes of a pair of columns; "" where they match."""
    if not column.type or not referred.type:
        return ""
    ours, theirs = (family_of(replace(each, type=each.base_type or each.type), dialect) for each in (column, referred))
    if ours is theirs is Family.INTEGER:
        is_smaller = dialect is Dialect.POSTGRESQL and _bits(column) < _bits(referred)
        return f"it is full at {_most(column)}, long before the other" if is_smaller else ""
    if {ours, theirs} <= _TEXTS:
        # PostgreSQL's collations agree on what is equal, but for those that it lets no key refer across
        differs = dialect is Dialect.SQLITE and column.collation.lower() != referred.collation.lower()
        return "the key takes what a join of both, by the other collation, does not find" if differs else ""
    # what SQLite makes of a type that it does not know, nobody declares on purpose
    is_guess = dialect is Dialect.SQLITE and Family.OTHER in (ours, theirs)
    is_same = _name(column) == _name(referred) if ours is theirs is Family.OTHER else ours is theirs
    return "" if is_same or is_guess else _converted(ours, theirs, dialect)


def _converted(ours: Family, theirs: Family, dialect: Dialect) -> str:
    if dialect is Dialect.SQLITE:
        return "each comparison converts one of them, and an index is lost"
    is_taken = theirs in _WIDENED.get(ours, ())
    return "each comparison converts one of them" if is_taken else "PostgreSQL refuses such a key"


def _bits(column: Column) -> int:
    name = _name(column)
    return next((bits for known, bits in _BITS if name == known), 32)


def _most(column: Column) -> str:
    return f"{2 ** (_bits(column) - 1) - 1:,}"


def _name(column: Column) -> str:
    return re.sub(r"\(.*?\)", "", (column.base_type or column.type).lower()).strip()


def _described(column: Column) -> str:
    return f"{column.type}, {column.collation}" if column.collation else column.type


def _remedies(table: Table, column: Column, referred: Column) -> tuple[Remedy, ...]:
    place = ".".join(quoted(part) for part in (table.schema, table.name) if part not in ("", "public"))
    collation = f" COLLATE {quoted(referred.collation)}" if referred.collation else ""
    change = f"ALTER TABLE {place} ALTER COLUMN {quoted(column.name)} TYPE {referred.type}{collation}"
    return (Remedy("sql", f"-- writes the whole table anew, unless only texts grow\n{change};"),)
