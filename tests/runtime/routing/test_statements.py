"""Each kind of statement that a session knows: what reads goes to the replica, what may write to primary."""

from __future__ import annotations

import pytest
from sqlalchemy import (
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    lambda_stmt,
    literal_column,
    select,
    text,
    union,
    update,
)
from sqlalchemy.orm import aliased, joinedload, selectinload, subqueryload

from tests.runtime.routing.small_manager import Customer, Order

READS = {
    "orm select": lambda s: s.scalars(select(Customer)).all(),
    "columns": lambda s: s.execute(select(Customer.id, Customer.name)).all(),
    "core select": lambda s: s.execute(select(Customer.__table__)).all(),
    "query": lambda s: s.query(Customer).filter_by(id=1).one(),
    "get": lambda s: s.get(Customer, 1),
    "scalar": lambda s: s.scalar(select(func.count()).select_from(Order)),
    "union": lambda s: s.execute(union(select(Customer.id), select(Order.id))).all(),
    "cte": lambda s: s.execute(select(select(Order.customer_id).cte().c.customer_id)).all(),
    "exists": lambda s: s.scalar(select(exists().where(Order.customer_id == Customer.id))),
    "subquery": lambda s: s.scalars(select(Customer).where(Customer.id.in_(select(Order.customer_id)))).all(),
    "join": lambda s: s.scalars(select(Customer).join(Order).options(joinedload(Customer.orders))).unique().all(),
    "alias": lambda s: s.scalars(select(aliased(Customer))).all(),
    "selectin": lambda s: s.scalars(select(Customer).options(selectinload(Customer.orders))).all(),
    "subqueryload": lambda s: s.scalars(select(Customer).options(subqueryload(Customer.orders))).all(),
    "pure function": lambda s: s.scalar(select(func.lower(Customer.name))),
    "piece of text": lambda s: s.scalars(select(Customer).where(text("name = 'one'")).order_by(text("id DESC"))).all(),
    "literal column": lambda s: s.execute(select(literal_column("1"))).all(),
    "window": lambda s: s.execute(select(func.row_number().over(order_by=Order.id))).all(),
    "lambda": lambda s: s.scalars(lambda_stmt(lambda: select(Customer))).all(),
    "from statement": lambda s: s.scalars(select(Customer).from_statement(select(Customer))).all(),
    "parameters": lambda s: s.execute(select(Customer).where(Customer.id == bindparam("i")), {"i": 1}).all(),
    "stream": lambda s: s.execute(select(Order).execution_options(yield_per=1)).all(),
}
WRITES = {
    "insert": (lambda s: s.execute(insert(Customer).values(id=9, name="x")), "INSERT"),
    "bulk insert": (lambda s: s.execute(insert(Customer), [{"id": 8, "name": "x"}, {"id": 9, "name": "y"}]), "INSERT"),
    "insert returning": (
        lambda s: s.scalars(insert(Customer).returning(Customer), [{"id": 8, "name": "x"}]).all(),
        "INSERT",
    ),
    "update": (lambda s: s.execute(update(Customer).values(name="x")), "UPDATE"),
    "bulk update": (lambda s: s.execute(update(Customer), [{"id": 1, "name": "x"}]), "UPDATE"),
    "delete": (lambda s: s.execute(delete(Order)), "DELETE"),
    "core": (lambda s: s.execute(update(Customer.__table__).values(name="x")), "UPDATE"),
    "query": (lambda s: s.query(Order).delete(), "DELETE"),
    "flush": (lambda s: (s.add(Customer(id=9, name="x")), s.flush()), "INSERT"),
    "bulk_save_objects": (lambda s: s.bulk_save_objects([Customer(id=9, name="x")]), "INSERT"),
    "bulk_insert_mappings": (lambda s: s.bulk_insert_mappings(Customer, [{"id": 9, "name": "x"}]), "INSERT"),
    "text": (lambda s: s.execute(text("SELECT 1")), "SELECT"),
    "text columns": (lambda s: s.execute(text("SELECT 1 AS i").columns(column("i"))), "SELECT"),
    "text entity": (lambda s: s.scalars(select(Customer).from_statement(text("SELECT 1 AS id"))).all(), "SELECT"),
    "for update": (lambda s: s.scalars(select(Customer).with_for_update()).all(), "SELECT"),
    "get for update": (lambda s: s.get(Customer, 1, with_for_update=True), "SELECT"),
    "for update within": (lambda s: s.execute(select(select(Order.id).with_for_update().subquery())).all(), "SELECT"),
    "unknown function": (lambda s: s.execute(select(func.likely(1))).all(), "SELECT"),
    "function in where": (lambda s: s.execute(select(Order.id).where(func.likely(Order.id) == 1)).all(), "SELECT"),
    "function in text": (lambda s: s.execute(select(Order.id).where(text("likely(1)"))).all(), "SELECT"),
    "function in column": (lambda s: s.execute(select(literal_column("likely(1)"))).all(), "SELECT"),
    "function in prefix": (lambda s: s.execute(select(Order.id).prefix_with("likely(1),")).all(), "SELECT"),
    "connection": (lambda s: s.connection().exec_driver_sql("SELECT 1"), "SELECT"),
    "raw connection": (lambda s: s.connection().connection.cursor().close(), None),
}


@pytest.mark.parametrize("name", READS)
def test_reads_go_to_the_replica(sqlite, session, name):
    READS[name](session)
    assert {target for target, _ in sqlite.sent} == {"readonly-1"}


@pytest.mark.parametrize("name", WRITES)
def test_writes_go_to_primary_and_all_reads_that_follow_too(sqlite, session, name):
    write, word = WRITES[name]
    write(session)
    assert set(sqlite.where(of=word)) == ({"primary"} if word else set())
    session.scalars(select(Order)).all()
    assert set(sqlite.where()) == {"primary"}
    session.rollback()
    session.scalars(select(Order)).all()
    assert set(sqlite.where()) == {"readonly-1"}
