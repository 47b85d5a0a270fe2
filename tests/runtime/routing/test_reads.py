"""Which statements are reads, as far as can be told by looking at them."""

from __future__ import annotations

import pytest
from sqlalchemy import (
    Integer,
    Sequence,
    case,
    cast,
    column,
    delete,
    extract,
    func,
    insert,
    lateral,
    literal_column,
    select,
    table,
    text,
    true,
    tuple_,
    values,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.functions import FunctionElement, GenericFunction

from pytest_dbguard.runtime.routing.reads import Reads
from tests.runtime.routing.small_manager import Customer, Order


class own_function(FunctionElement):
    inherit_cache = True
    type = Integer()


@compiles(own_function)
def compile_own_function(element, compiler, **options):
    return "own_function()"


class uncached(FunctionElement):
    name = "lower"
    inherit_cache = False
    type = Integer()


class unnamed(GenericFunction):
    inherit_cache = True
    name = "rebuild_everything"


GONE = delete(Order).returning(Order.id).cte("gone")
READS = {
    "case": select(case((Order.id == 1, "a"), else_="b")),
    "cast": select(cast(Customer.name, Integer)),
    "extract": select(extract("year", func.now())),
    "tuple": select(Order.id).where(tuple_(Order.id, Order.customer_id).in_([(1, 2)])),
    "lateral": select(Customer.id, lateral(select(Order.id).where(Order.customer_id == Customer.id)).c.id),
    "join": select(Customer).join(Customer.orders).where(true()),
    "table function": select(func.generate_series(1, 3).table_valued("value")),
    "filter": select(func.count().filter(Order.id > 1)),
    "within group": select(func.percentile_cont(0.5).within_group(Order.id)),
    "values": select(values(column("i", Integer), name="v").data([(1,)])),
    "text table": select(text("id, name")).select_from(text("customers")),
    "light table": select(table("orders", column("id"))),
    "qualified": select(func.pg_catalog.lower("A")),
    "postgis": select(func.ST_Distance(Order.id, Order.id)),
    "upper case": select(func.COUNT(Order.id)),
    "recursive": select(select(Order.id).cte(recursive=True).union_all(select(Order.id))),
    "hint": select(Order).with_hint(Order, "USE INDEX (a)", "mysql").with_statement_hint("NOLOCK"),
    "uncached": select(uncached()),
    "word": select(Order.id).where(text("note = 'x' AND information_id = 1")),
    "intersection": select(Order.id).intersect(select(Customer.id)).order_by("id"),
}
WRITES = {
    "nextval": select(func.nextval("numbers")),
    "sequence": select(Sequence("numbers").next_value()),
    "sequence itself": Sequence("numbers"),
    "lock": select(func.pg_advisory_lock(1)),
    "notify": select(func.pg_notify("a", "b")),
    "setting": select(func.set_config("a", "b", True)),
    "other schema": select(func.billing.lower("x")),
    "deep": select(Order.id).where(Order.id.in_(select(func.coalesce(func.spend(1), 2)))),
    "from": select(func.spend().table_valued("a")),
    "group": select(func.count()).group_by(func.spend(Order.id)),
    "order": select(Order.id).order_by(func.spend(Order.id)),
    "limit": select(Order.id).limit(func.spend()),
    "on": select(Customer).join(Order, func.spend(Order.id)),
    "window": select(func.sum(Order.id).over(partition_by=func.spend())),
    "own": select(own_function()),
    "generic": select(unnamed()),
    "cte": select(GONE),
    "cte beside": select(Order.id).add_cte(GONE),
    "cte of insert": select(insert(Order).values(id=1).returning(Order.id).cte()),
    "cte below": select(select(GONE).cte()),
    "union": select(Order.id).union(select(Order.id).where(Order.id == func.spend())),
    "for update": select(Order.id).with_for_update(),
    "for share": select(Order.id).with_for_update(read=True),
    "skip locked": select(Order.id).with_for_update(skip_locked=True),
    "of union": select(Order.id).union(select(Order.id)).with_for_update(),
    "suffix": select(Order.id).suffix_with("FOR UPDATE"),
    "statement hint": select(Order.id).with_statement_hint("FOR UPDATE"),
    "into": select(text("id INTO new_table")),
    "call in text": select(text("spend(1)")),
    "call in column": select(literal_column("spend(1)")),
    "second statement": select(Order.id).where(text("1 = 1; DELETE FROM orders")),
    "text": text("SELECT 1"),
    "text columns": text("SELECT 1").columns(column("i")),
    "text below": select(text("SELECT 1").columns(column("i")).subquery()),
    "ddl": CreateTable(Order.__table__),
    "insert from select": insert(Order).from_select(["id"], select(Order.id)),
    "function itself": func.lower("A"),
    "a string": "SELECT 1",
    "nothing": None,
}
TRUSTED = {"nextval", "text", "text columns", "own", "call in text", "setting", "lock", "deep"}
NEVER = {"cte", "cte beside", "cte of insert", "cte below", "for update", "for share", "of union", "ddl", "nothing"}


@pytest.mark.parametrize("name", READS)
def test_reads(name):
    reads = Reads()
    assert reads.is_read(READS[name])
    assert reads.is_read(READS[name])


@pytest.mark.parametrize("name", WRITES)
def test_what_may_write(name):
    reads = Reads()
    assert not reads.is_read(WRITES[name])
    assert not reads.is_read(WRITES[name])


@pytest.mark.parametrize("name", sorted(TRUSTED | NEVER))
def test_an_author_is_trusted_unless_the_statement_says_otherwise(name):
    assert Reads().is_read(WRITES[name], is_trusted=True) == (name in TRUSTED)


def test_what_is_kept_is_bounded_and_told_apart():
    reads = Reads()
    for number in range(2000):
        assert reads.is_read(select(column(f"c{number}")))
    assert len(reads._untrusted) <= 512
    assert not reads.is_read(select(func.spend()))
    assert reads.is_read(select(func.spend()), is_trusted=True)
    assert not reads.is_read(select(func.spend()))
