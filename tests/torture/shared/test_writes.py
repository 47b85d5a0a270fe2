"""What applications do to their rows, committed, rolled back or refused."""

from __future__ import annotations

import dialect
import engines
import pytest
from mischief import WRITE, write
from models import Base, Order, Shop
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session


def test_orm():
    with Session(engines.primary) as session:
        shop = Shop(name="new", orders=[Order(), Order()])
        session.add(shop)
        session.commit()
        assert (shop.id, shop.orders[0].id) == (2, 3)
        session.execute(update(Order).values(shop_id=shop.id))
        session.execute(delete(Shop).where(Shop.id == 1))
        session.commit()
    with Session(engines.readonly) as session:
        assert session.scalar(select(func.count(Order.id))) == 4


def test_readonly_refuses():
    with engines.readonly.connect() as connection, pytest.raises(DBAPIError, match="read-?only"):
        connection.execute(WRITE)


def test_trigger():
    assert write("INSERT INTO customer (email, name) VALUES ('c@x', 'C') RETURNING id") == [(3,)]
    assert write(f"SELECT max(id) FROM {dialect.LOG}") == [(4,)]


def test_cascades():
    write("DELETE FROM customer WHERE id = 1")
    assert write("SELECT min(customer_id) FROM account") == [(2,)]


def test_cascading_update():
    write("UPDATE customer SET id = id + 100")
    assert write("SELECT max(customer_id) FROM account") == [(102,)]


def test_rolled_back():
    with engines.primary.connect() as connection:
        connection.execute(WRITE)
        connection.execute(text("DELETE FROM customer"))
        connection.execute(text("DROP TABLE watched"))
        connection.rollback()


def test_errors():
    with pytest.raises(IntegrityError), engines.primary.begin() as connection:
        connection.execute(WRITE)
        connection.execute(text("INSERT INTO account (customer_id) VALUES (99)"))


def test_errors_within_savepoints():
    with engines.primary.begin() as connection:
        for _ in range(3):
            with pytest.raises(IntegrityError), connection.begin_nested():
                connection.execute(text("INSERT INTO customer (email, name) VALUES ('ada@example.org', 'A')"))
        connection.execute(WRITE)


def test_deferred_constraint_fails():
    with pytest.raises(IntegrityError), engines.primary.begin() as connection:
        connection.execute(text("INSERT INTO employee (department_id) VALUES (99)"))
        connection.execute(WRITE)


def test_tables_dropped_and_created_by_the_application():
    Base.metadata.drop_all(engines.primary)
    Base.metadata.create_all(engines.primary)
    assert write("INSERT INTO shop (name) VALUES ('x') RETURNING id") == [(1,)]


def test_nothing():
    assert write("SELECT count(*) FROM customer") == [(2,)]
