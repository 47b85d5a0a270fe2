"""Figures whose test data is too small to show what they cost."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from shop.models import Address, Category, Currency, Customer, Item, Order, Product

# --- masked: all rows lead to one and the same row ---


def amounts(session: Session) -> list[str]:
    lines = []
    orders = session.scalars(select(Order)).all()  # origin: DBG108 Order.currency @test_shared_currency
    for order in orders:
        lines.append(f"{order.number} {order.currency.code}")  # expect: DBG108 Order.currency @test_shared_currency
    return lines


def currencies_of_new(session: Session) -> set[str]:
    new = select(Order).where(Order.status == "new").order_by(Order.number)
    orders = session.scalars(new).all()  # origin: DBG108 Order.currency @test_shared_in_set
    return {order.currency.code for order in orders}  # expect: DBG108 Order.currency @test_shared_in_set


class Invoicing:
    """A service whose model of a line reads the currency."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def lines(self) -> list[str]:
        paid = select(Order).where(Order.status == "paid")
        return [self._line(order) for order in self._session.scalars(paid)]  # origin: DBG108 Order.currency @test_shared_in_method  # noqa: E501 # fmt: skip

    def _line(self, order: Order) -> str:
        currency = order.currency  # expect: DBG108 Order.currency @test_shared_in_method
        return f"{order.number} in {currency.code}"


def catalogue(session: Session) -> list[str]:
    lines = []
    statement = select(Product).where(Product.price <= 20)
    for product in session.scalars(statement):  # origin: DBG101 Product.category @test_partly_shared # loop: DBG101 Product.category @test_partly_shared  # noqa: E501 # fmt: skip
        lines.append(f"{product.sku} {product.category.name}")  # expect: DBG101 Product.category @test_partly_shared
    return lines


# --- latent: one row only has more ---


def disputes(session: Session) -> list[str]:
    lines = []
    statement = select(Order).where(Order.status == "disputed")
    for order in session.scalars(statement).all():  # origin: DBG106 Order.items @test_one_dispute # loop: DBG106 Order.items @test_one_dispute  # noqa: E501 # fmt: skip
        lines.append(f"{order.number} {len(order.items)}")  # expect: DBG106 Order.items @test_one_dispute
    return lines


def disputed(session: Session) -> list[Order]:
    return list(session.scalars(select(Order).where(Order.status == "disputed")))  # origin: DBG106 Order.customer @test_one_dispute_far  # noqa: E501 # fmt: skip


def complain(orders: list[Order]) -> list[str]:
    return [_complaint(order) for order in orders]  # loop: DBG106 Order.customer @test_one_dispute_far


def _complaint(order: Order) -> str:
    return f"Dear {order.customer.name}"  # expect: DBG106 Order.customer @test_one_dispute_far


def roots(session: Session) -> dict[str, list[str]]:
    found = {}
    statement = select(Category).where(Category.parent_id.is_(None))
    nodes = session.scalars(statement).all()  # origin: DBG106 Category.children @test_one_root
    for node in nodes:  # loop: DBG106 Category.children @test_one_root
        found[node.name] = [child.name for child in node.children]  # expect: DBG106 Category.children @test_one_root
    return found


def heavy(session: Session) -> list[str]:
    names = []
    items = session.scalars(select(Item).where(Item.quantity > 8)).all()  # origin: DBG106 Item.product @test_one_heavy
    for item in items:  # loop: DBG106 Item.product @test_one_heavy
        names.append(item.product.sku)  # expect: DBG106 Item.product @test_one_heavy
    return names


def quantities_of(session: Session, name: str) -> list[int]:
    found = []
    customer = session.scalars(select(Customer).where(Customer.name == name).limit(1)).one()  # origin: DBG106 Order.items @test_one_order_of_one  # noqa: E501 # fmt: skip
    for order in customer.orders:  # loop: DBG106 Order.items @test_one_order_of_one
        found.extend(item.quantity for item in order.items)  # expect: DBG106 Order.items @test_one_order_of_one
    return found


# --- as it should be ---


def amounts_joined(session: Session) -> list[str]:
    statement = select(Order).options(joinedload(Order.currency))
    return [f"{order.number} {order.currency.code}" for order in session.scalars(statement)]


def orders_of(session: Session, customer_id: int) -> list[str]:
    orders = session.scalars(select(Order).where(Order.customer_id == customer_id)).all()
    return [f"{order.number} {order.customer.name}" for order in orders]


def lines_of(session: Session, order_id: int) -> list[str]:
    order = session.get(Order, order_id)
    return [f"{item.order.number} {item.quantity}" for item in order.items]


def streets_of(session: Session, customer: Customer) -> list[str]:
    addresses = session.scalars(select(Address).where(Address.customer == customer)).all()
    return [f"{address.customer.name} {address.street}" for address in addresses]


def amounts_with_known(session: Session) -> list[str]:
    euro = session.scalars(select(Currency).where(Currency.code == "EUR")).one()
    orders = session.scalars(select(Order)).all()
    return [f"{order.number} {order.currency.code}" for order in orders if euro]


def dispute(session: Session) -> str:
    order = session.scalars(select(Order).where(Order.status == "disputed")).one()
    return f"{order.number} {len(order.items)}"


def first_dispute(session: Session) -> list[int]:
    order = session.scalars(select(Order).where(Order.status == "disputed").order_by(Order.id).limit(1)).first()
    return [item.quantity for item in order.items]


def next_dispute(session: Session) -> list[str]:
    statement = select(Order).where(Order.status == "disputed").order_by(Order.id).limit(1)
    return [f"{order.number} {order.customer.name}" for order in session.scalars(statement)]


def by_number(session: Session, number: str) -> list[str]:
    statement = select(Order).where(Order.number == number)
    return [f"{order.number} {order.customer.name}" for order in session.scalars(statement)]


def by_ids(session: Session, order_id: int) -> list[str]:
    statement = select(Order).where(Order.id == order_id)
    return [order.customer.name for order in session.scalars(statement).all()]


def maybe(session: Session, status: str) -> str:
    order = session.execute(select(Order).where(Order.status == status)).scalar_one_or_none()
    return order.customer.name if order else "nobody"


def found_among_many(session: Session) -> list[int]:
    for order in session.scalars(select(Order)).all():
        if order.number == "n-12":
            return [item.quantity for item in order.items]
    return []
