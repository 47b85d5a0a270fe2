"""Reports that join, and some that forget to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, literal, select, text, true, union_all
from sqlalchemy.orm import Session, aliased

from shop.models import Category, Customer, Item, Order, Product, Rate, Setting

Rows = Sequence[Any]


def forgotten_join(session: Session) -> Rows:
    stmt = select(Customer.name, Order.id).where(Order.total > 105)
    return session.execute(stmt).all()  # expect: DBG301 customer @test_forgotten_join


def third_table(session: Session) -> Rows:
    stmt = select(Customer.name, Order.id, Product.sku).join(Customer.orders).where(Product.price > 15)
    return session.execute(stmt).all()  # expect: DBG301 product @test_third_table_unjoined


def comma_in_text(connection: Connection) -> Rows:
    sql = text("SELECT o.id, p.name FROM orders o, product p WHERE o.total > 100")
    return connection.execute(sql).all()  # expect: DBG301 orders @test_comma_in_text


def filter_on_another(session: Session) -> Rows:
    """A WHERE on a table that the select forgot to join: FROM gains it silently."""
    stmt = select(Product.sku).where(Category.name == "books new")
    return session.execute(stmt).all()  # expect: DBG301 product @test_where_on_another_table


def wrong_alias(session: Session) -> Rows:
    """The condition names the table, the select its alias."""
    parent = aliased(Category)
    stmt = select(parent.name, Category.name).where(Category.parent_id == Category.id)
    return session.execute(stmt).all()  # expect: DBG301 category @test_condition_on_the_wrong_alias


def joined_in_where(session: Session) -> Rows:
    return session.execute(select(Customer.name, Order.id).where(Customer.id == Order.customer_id)).all()


def joined_in_text(connection: Connection) -> Rows:
    sql = "SELECT o.id, c.name FROM orders o, customer c, item i WHERE o.customer_id = c.id AND i.order_id = o.id"
    return connection.execute(text(sql)).all()


def crossed_on_purpose(session: Session) -> Rows:
    """Each product in each currency."""
    return session.execute(select(Product.sku, Rate.currency).join(Rate, true())).all()


def crossed_in_text(connection: Connection) -> Rows:
    return connection.execute(text("SELECT p.sku, r.currency FROM product p CROSS JOIN rate r")).all()


def correlated(session: Session) -> Rows:
    amount = select(func.count()).where(Order.customer_id == Customer.id).correlate(Customer).scalar_subquery()
    return session.execute(select(Customer.name, amount)).all()


def exists_filter(session: Session) -> Rows:
    return session.execute(select(Customer.name).where(Customer.orders.any(Order.total > 105))).all()


def with_total(session: Session) -> Rows:
    """Divide each row by a sum of all: the subquery has one row."""
    whole = select(func.sum(Order.total).label("whole")).subquery()
    return session.execute(select(Order.id, Order.total, whole.c.whole)).all()


def with_cte(session: Session) -> Rows:
    big = select(Order.id, Order.customer_id).where(Order.total > 105).cte("big")
    return session.execute(select(Customer.name, big.c.id).where(Customer.id == big.c.customer_id)).all()


def latest_by_lateral(session: Session) -> Rows:
    """The latest order of each customer: LATERAL where there is one, else a scalar subquery."""
    newest = select(Order.id).where(Order.customer_id == Customer.id).order_by(Order.id.desc()).limit(1)
    if session.get_bind().dialect.name == "postgresql":
        last = newest.correlate(Customer).lateral("last")
        return session.execute(select(Customer.name, last.c.id).join(last, true())).all()
    return session.execute(select(Customer.name, newest.correlate(Customer).scalar_subquery())).all()


def tags(session: Session) -> Rows:
    """A table function over a column of the row before it."""
    if session.get_bind().dialect.name == "postgresql":
        function = func.json_array_elements_text(Product.tags).table_valued("value", name="tag")
    else:
        function = func.json_each(Product.tags).table_valued("value", name="tag")
    return session.execute(select(Product.sku, function.c.value)).all()


def inequality(session: Session) -> Rows:
    """A join by range is a join."""
    dearer = aliased(Product)
    return session.execute(select(Product.sku, dearer.sku).where(dearer.price > Product.price + 8)).all()


def with_constants(session: Session) -> Rows:
    """A list of constants joined by a column."""
    wanted = union_all(select(literal(1).label("pk")), select(literal(2))).subquery("wanted")
    return session.execute(select(Customer.name).join(wanted, wanted.c.pk == Customer.id)).all()


def one_setting(session: Session) -> Rows:
    """Both tables are pinned by one key in common."""
    stmt = select(Order.id, Item.id).where(Order.id == 1, Item.order_id == 1, Item.order_id == Order.id)
    return session.execute(stmt).all()


def literal_only(session: Session) -> Rows:
    return session.execute(select(literal(1), func.now())).all()


def unioned(session: Session) -> Rows:
    """Two tables in one statement, but not in one FROM."""
    return session.execute(select(Setting.key).union_all(select(Product.sku))).all()
