"""Tables of a MetaData: what tells that they changed, and what is created."""

from __future__ import annotations

import enum
import os
import subprocess
import sys

import pytest
from sqlalchemy import (
    DDL,
    Column,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Sequence,
    Table,
    create_engine,
    event,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.metadata_step import MetadataStep, schemas_of

DIALECT = postgresql.psycopg.dialect()


def item(*more, **options):
    metadata = MetaData()
    Table("item", metadata, Column("id", Integer, primary_key=True), *more, **options)
    return metadata


def fingerprint(*metadata, dialect=DIALECT):
    return MetadataStep(metadata, "tables").fingerprint(dialect)


def with_listener(listener, metadata=None):
    metadata = metadata or item()
    event.listen(metadata, "after_create", listener)
    return metadata


class Color(enum.Enum):
    red = 1


def runs_driver_sql(target, connection, **options):
    connection.exec_driver_sql("CREATE VIEW v AS SELECT 1")


def runs_other_driver_sql(target, connection, **options):
    connection.exec_driver_sql("CREATE VIEW v AS SELECT 2")


def asks_first(target, connection, **options):
    if connection.scalar(text("SELECT 1")):
        connection.execute(text("CREATE VIEW v AS SELECT 1"))


def asks_something_else(target, connection, **options):
    if connection.scalar(text("SELECT 2")):
        connection.execute(text("CREATE VIEW v AS SELECT 1"))


def test_everything_that_is_created_counts():
    different = [
        item(),
        item(Column("name", Integer)),
        item(Column("name", Integer, server_default="1")),
        item(Column("name", Integer, index=True)),
        item(Column("name", Integer), Index("by_name", "name", postgresql_using="hash")),
        item(Column("name", Integer, ForeignKey("item.id"))),
        item(Column("name", Integer, ForeignKey("item.id", ondelete="CASCADE"))),
        item(Column("name", Integer, comment="a name")),
        item(Column("color", Enum(Color))),
        item(Column("color", Enum("red", "blue", name="color"))),
        item(Column("color", Integer, Sequence("colors"))),
        item(schema="shop"),
        item(comment="all items"),
        with_listener(DDL("CREATE VIEW v AS SELECT 1")),
        with_listener(DDL("CREATE VIEW v AS SELECT 2")),
        with_listener(DDL("CREATE VIEW v AS SELECT 2").execute_if(dialect="postgresql"), item(schema="s")),
        with_listener(DDL("CREATE VIEW v AS SELECT 3").execute_if(dialect="postgresql"), item(schema="s")),
        with_listener(runs_driver_sql),
        with_listener(runs_other_driver_sql),
        with_listener(asks_first, item(schema="t")),
        with_listener(asks_something_else, item(schema="t")),
    ]
    found = [fingerprint(metadata) for metadata in different]
    assert len(set(found)) == len(found)
    assert found == [fingerprint(metadata) for metadata in different]


def test_what_is_not_created_here_does_not_count():
    assert fingerprint(with_listener(DDL("CREATE VIEW v AS SELECT 1").execute_if(dialect="mysql"))) == fingerprint(
        item()
    )
    assert fingerprint(item(), dialect=sqlite.dialect()) != fingerprint(item())


def test_the_order_of_definition_does_not_count():
    one, two = MetaData(), MetaData()
    for metadata, names in ((one, "abcdef"), (two, "fedcba")):
        for name in names:
            Table(name, metadata, Column("id", Integer, primary_key=True))
    assert fingerprint(one) == fingerprint(two)


PROGRAM = """
from sqlalchemy import *
from sqlalchemy.dialects import postgresql
from pytest_dbguard.templates.metadata_step import MetadataStep
metadata = MetaData()
for number in range(30):
    columns = [Column(f"c{n}", Integer, ForeignKey(f"t{n}.id", use_alter=n > number), index=True) for n in range(30)]
    Table(f"t{number}", metadata, Column("id", Integer, primary_key=True), Column("e", Enum("a", name=f"e{number}")),
          *columns, schema=None)
import hashlib
print(hashlib.sha256(MetadataStep((metadata,), "x").fingerprint(postgresql.psycopg.dialect())).hexdigest())
"""


def test_it_is_the_same_in_every_process():
    found = set()
    for seed in "012":
        environ = {**os.environ, "PYTHONHASHSEED": seed}
        found.add(subprocess.run([sys.executable, "-c", PROGRAM], env=environ, capture_output=True, check=True).stdout)
    assert len(found) == 1


def test_schemas_of_tables_types_and_sequences():
    metadata = item(
        Column("a", Enum("x", name="e", schema="types")),
        Column("b", Integer, Sequence("s", schema="numbers")),
        schema="shop",
    )
    assert schemas_of(metadata) == ["numbers", "shop", "types"]
    assert schemas_of(item()) == []


def test_it_creates_them_with_their_schemas(runs):
    metadata = item(
        Column("a", Enum("x", name="e", schema="types")),
        Column("b", Integer, Sequence("s", schema="numbers")),
        schema="shop",
    )
    Table("here", metadata, Column("id", Integer, primary_key=True))
    with_listener(DDL("CREATE SCHEMA made_by_listener"), metadata)
    templates, run = runs.start()
    template = templates.ready(Recipe((MetadataStep((metadata, item()), "tables"),)))
    with create_engine(template.copy(f"dbguard_{run.id}_x").url).connect() as connection:
        for name in ("shop.item", "types.e", "numbers.s", "public.here", "public.item"):
            function = "to_regtype" if name == "types.e" else "to_regclass"
            assert connection.scalar(text(f"SELECT {function}('{name}')")) is not None, name
        assert connection.scalar(text("SELECT to_regnamespace('made_by_listener')")) is not None


def test_schemas_that_listeners_make_themselves_are_not_in_their_way(runs):
    metadata = item(schema="shop")
    event.listen(metadata, "before_create", DDL("CREATE SCHEMA IF NOT EXISTS shop"))
    runs.start()[0].ready(Recipe((MetadataStep((metadata,), "tables"),)))


@pytest.mark.parametrize("schema", ["Shop", "a b", 'x"y'])
def test_any_schema_name(runs, schema):
    runs.start()[0].ready(Recipe((MetadataStep((item(schema=schema),), "tables"),)))
