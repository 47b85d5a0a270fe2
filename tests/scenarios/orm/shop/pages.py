"""Pages of one thing and the things below it, and queries in unusual forms."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import event, select, text, union_all
from sqlalchemy.orm import Session, aliased, joinedload, selectinload, with_parent

from shop.models import Account, Customer, Item, LogEntry, Order, Product


def basket(session: Session, order_id: int) -> list[str]:
    skus = []
    order = session.get(Order, order_id)  # origin: DBG101 Item.product @test_below_one
    for item in order.items:  # loop: DBG101 Item.product @test_below_one
        skus.append(item.product.sku)  # expect: DBG101 Item.product @test_below_one
    return skus


def basket_loaded(session: Session, order_id: int) -> list[str]:
    skus = []
    order = session.get(Order, order_id, options=[selectinload(Order.items)])  # origin: DBG101 Item.product @test_below_one_loaded  # noqa: E501 # fmt: skip
    for item in order.items:  # loop: DBG101 Item.product @test_below_one_loaded
        skus.append(item.product.sku)  # expect: DBG101 Item.product @test_below_one_loaded
    return skus


def by_query(session: Session) -> list[str]:
    names = []
    for order in session.query(Order).order_by(Order.id):  # origin: DBG101 Order.customer @test_query_iterated # loop: DBG101 Order.customer @test_query_iterated  # noqa: E501 # fmt: skip
        names.append(order.customer.name)  # expect: DBG101 Order.customer @test_query_iterated
    return names


def by_query_all(session: Session) -> list[int]:
    counts = []
    orders = session.query(Order).filter(Order.status != "gone").all()  # origin: DBG101 Order.items @test_query_all
    for order in orders:  # loop: DBG101 Order.items @test_query_all
        counts.append(len(order.items))  # expect: DBG101 Order.items @test_query_all
    return counts


def by_text(session: Session) -> list[str]:
    names = []
    statement = select(Order).from_statement(text("SELECT * FROM orders ORDER BY id"))
    for order in session.scalars(statement).all():  # loop: DBG101 Order.customer @test_from_statement
        names.append(order.customer.name)  # expect: DBG101 Order.customer @test_from_statement
    return names


def by_union(session: Session) -> list[str]:
    names = []
    both = union_all(select(Order).where(Order.status == "new"), select(Order).where(Order.status == "paid"))
    entity = aliased(Order, both.subquery())
    orders = session.scalars(select(entity)).all()  # origin: DBG101 Order.customer @test_union
    for order in orders:  # loop: DBG101 Order.customer @test_union
        names.append(order.customer.name)  # expect: DBG101 Order.customer @test_union
    return names


def by_parent(session: Session) -> list[int]:
    quantities = []
    for order in session.scalars(select(Order)).all():  # loop: DBG103 item @test_with_parent
        mine = select(Item).where(with_parent(order, Order.items))
        quantities.extend(item.quantity for item in session.scalars(mine))  # expect: DBG103 item @test_with_parent
    return quantities


def each(session: Session, ids: list[int]) -> Iterator[Order]:
    for order_id in ids:  # loop: DBG103 orders @test_generator_of_gets
        yield session.get(Order, order_id)  # expect: DBG103 orders @test_generator_of_gets


def numbers(session: Session, ids: list[int]) -> list[str]:
    return [order.number for order in each(session, ids)]


def finish(session: Session) -> int:
    moved = 0
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.items @test_autoflush_folded
    for order in orders:  # loop: DBG101 Order.items @test_autoflush_folded
        order.status = "done"
        # each load flushes the change before it: part of the same fact
        moved += len(order.items)  # expect: DBG101 Order.items @test_autoflush_folded
    session.commit()
    return moved


def reload_items(session: Session) -> int:
    total = 0
    orders = session.scalars(select(Order)).all()  # origin: DBG102 Order @test_refresh_attribute
    for order in orders:  # loop: DBG102 Order @test_refresh_attribute
        session.refresh(order, ["items"])  # expect: DBG102 Order @test_refresh_attribute
        total += len(order.items)
    return total


def read_anew(session: Session) -> list[int]:
    balances = []
    for number in (1, 2, 3):  # loop: DBG103 account @test_populate_each
        wanted = select(Account).where(Account.id == number).execution_options(populate_existing=True)
        balances.append(session.scalars(wanted).one().balance)  # expect: DBG103 account @test_populate_each
    return balances


def greet(session: Session, customer_id: int) -> str:
    return session.get(Customer, customer_id).name  # origin: DBG105 customer @test_get_twice_dropped


def address(session: Session, customer_id: int) -> str:
    return session.get(Customer, customer_id).email  # expect: DBG105 customer @test_get_twice_dropped


def letter(session: Session, customer_id: int) -> str:
    return f"{greet(session, customer_id)} <{address(session, customer_id)}>"


def audited(session: Session) -> Session:
    @event.listens_for(session, "before_flush")
    def _note_owners(session: Session, context: object, instances: object) -> None:
        for thing in list(session.dirty):  # loop: DBG101 Order.customer @test_flush_hook
            session.add(LogEntry(message=thing.customer.name))  # expect: DBG101 Order.customer @test_flush_hook

    return session


def close_all(session: Session) -> None:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.customer @test_flush_hook
    for order in orders:
        order.status = "closed"
    session.commit()


# --- as it should be ---


def basket_at_once(session: Session, order_id: int) -> list[str]:
    option = selectinload(Order.items).joinedload(Item.product)
    order = session.get(Order, order_id, options=[option])
    return [item.product.sku for item in order.items]


def by_query_loaded(session: Session) -> list[str]:
    query = session.query(Order).options(joinedload(Order.customer)).order_by(Order.id)
    return [order.customer.name for order in query]


def basket_of_one(session: Session, number: str) -> list[str]:
    order = session.query(Order).filter_by(number=number).one()
    items = session.scalars(select(Item).where(with_parent(order, Order.items))).all()
    return [f"{order.number} {item.quantity}" for item in items]


def cheap_and_dear(session: Session) -> list[str]:
    cheap = select(Product.sku).where(Product.price < 20)
    dear = select(Product.sku).where(Product.price > 330)
    return [sku for (sku,) in session.execute(union_all(cheap, dear))]


def finish_unflushed(session: Session) -> int:
    moved = 0
    for order in session.scalars(select(Order).options(selectinload(Order.items))):
        order.status = "done"
        moved += len(order.items)
    session.commit()
    return moved


def letter_kept(session: Session, customer_id: int) -> str:
    customer = session.get(Customer, customer_id)
    return f"{greet(session, customer_id)} <{address(session, customer.id)}>"
