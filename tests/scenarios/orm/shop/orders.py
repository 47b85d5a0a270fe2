"""What the shop tells about orders and customers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shop.models import Customer, Item, Order, Product


def customer_names(session: Session) -> list[str]:
    names = []
    orders = session.scalars(select(Order).order_by(Order.id)).all()  # origin: DBG101 Order.customer @test_names
    for order in orders:  # loop: DBG101 Order.customer @test_names
        names.append(order.customer.name)  # expect: DBG101 Order.customer @test_names
    return names


def item_counts(session: Session) -> dict[str, int]:
    orders = session.scalars(select(Order))  # origin: DBG101 Order.items @test_item_counts
    counts = {  # loop: DBG101 Order.items @test_item_counts
        order.number: len(order.items)  # expect: DBG101 Order.items @test_item_counts
        for order in orders
    }
    return counts


def shopping_lists(session: Session) -> dict[str, list[str]]:
    found = defaultdict(list)
    statement = select(Customer).where(Customer.name != "lonely")
    customers = session.scalars(statement)  # origin: DBG101 Customer.orders @test_levels # origin: DBG101 Order.items @test_levels # origin: DBG101 Item.product @test_levels  # noqa: E501 # fmt: skip
    for customer in customers:  # loop: DBG101 Customer.orders @test_levels
        for order in customer.orders:  # expect: DBG101 Customer.orders @test_levels # loop: DBG101 Order.items @test_levels  # noqa: E501 # fmt: skip
            for item in order.items:  # expect: DBG101 Order.items @test_levels # loop: DBG101 Item.product @test_levels
                found[customer.name].append(item.product.sku)  # expect: DBG101 Item.product @test_levels
    return found


def nicknames(session: Session) -> list[str]:
    statement = select(Customer).where(Customer.name != "lonely")
    customers = session.scalars(statement).all()  # origin: DBG101 Customer.profile @test_one_to_one
    return [  # loop: DBG101 Customer.profile @test_one_to_one
        customer.profile.nickname  # expect: DBG101 Customer.profile @test_one_to_one
        for customer in customers
    ]


def by_customer_name(session: Session) -> list[str]:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.customer @test_sort_key
    ranked = sorted(orders, key=lambda order: order.customer.name)  # expect: DBG101 Order.customer @test_sort_key
    return [order.number for order in ranked]


def total_quantity(session: Session) -> int:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.items @test_sum
    return sum(  # loop: DBG101 Order.items @test_sum
        sum(item.quantity for item in order.items)  # expect: DBG101 Order.items @test_sum
        for order in orders
    )


def work_off(session: Session) -> list[int]:
    done = []
    waiting = list(session.scalars(select(Order)))  # origin: DBG101 Order.items @test_while_pop
    while waiting:  # loop: DBG101 Order.items @test_while_pop
        order = waiting.pop()
        done.extend(item.quantity for item in order.items)  # expect: DBG101 Order.items @test_while_pop
    return done


def first_page(session: Session) -> list[tuple[str, str]]:
    page = select(Order).order_by(Order.id).limit(5)
    rows = session.scalars(page).all()  # origin: DBG101 Order.customer @test_page
    return [  # loop: DBG101 Order.customer @test_page
        (order.number, order.customer.name)  # expect: DBG101 Order.customer @test_page
        for order in rows
    ]


def heavy_orders(session: Session) -> list[str]:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.items @test_method_filter
    return [o.number for o in orders if o.is_heavy()]  # loop: DBG101 Order.items @test_method_filter


def any_bulk(session: Session) -> str:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.items @test_any
    for order in orders:  # loop: DBG101 Order.items @test_any
        if any(item.quantity > 50 for item in order.items):  # expect: DBG101 Order.items @test_any
            return f"{order.number} is bulk"
    return "none is bulk"


def numbered(session: Session) -> list[str]:
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.customer @test_enumerate
    numbers = range(len(orders))
    labels = []
    for number, order in zip(numbers, orders, strict=True):  # loop: DBG101 Order.customer @test_enumerate
        label = f"{number}: {order.customer.name}"  # expect: DBG101 Order.customer @test_enumerate
        labels.append(label)
    return labels


class Orders:
    """A repository of orders."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self) -> list[Order]:
        return list(self._session.scalars(select(Order)))  # origin: DBG101 Order.customer @test_layers @test_generator

    def number(self, number: str) -> Order:
        return self._session.scalars(select(Order).where(Order.number == number)).one()

    def each(self) -> Iterator[Order]:
        yield from self.all()


class OrderRow:
    """How one order is shown."""

    def __init__(self, order: Order) -> None:
        self._order = order

    def __str__(self) -> str:
        return f"{self._order.number} {self._who()}"

    def _who(self) -> str:
        return self._order.customer.name  # expect: DBG101 Order.customer @test_layers


def table(orders: Orders) -> str:
    lines = []
    for order in orders.all():  # loop: DBG101 Order.customer @test_layers
        lines.append(str(OrderRow(order)))
    return "\n".join(lines)


def owners(orders: Iterable[Order]) -> Iterator[str]:
    for order in orders:  # loop: DBG101 Order.customer @test_generator
        yield order.customer.name  # expect: DBG101 Order.customer @test_generator


def who_and_where(session: Session) -> list[str]:
    rows = []
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.customer @test_two_in_line # origin: DBG101 Customer.region @test_two_in_line  # noqa: E501 # fmt: skip
    for order in orders:  # loop: DBG101 Order.customer @test_two_in_line # loop: DBG101 Customer.region @test_two_in_line  # noqa: E501 # fmt: skip
        rows.append(order.customer.region.name)  # expect: DBG101 Order.customer @test_two_in_line # expect: DBG101 Customer.region @test_two_in_line  # noqa: E501 # fmt: skip
    return rows


# --- as it should be ---


def page_of(session: Session, number: int) -> dict[str, object]:
    order = session.get(Order, number)
    return {
        "number": order.number,
        "customer": order.customer.name,
        "region": order.customer.region.name,
        "items": [item.quantity for item in order.items],
        "shipments": [shipment.id for shipment in order.shipments],
    }


def compare(session: Session, left: str, right: str) -> int:
    orders = Orders(session)
    one = orders.number(left)
    other = orders.number(right)
    left_quantity = sum(item.quantity for item in one.items)
    right_quantity = sum(item.quantity for item in other.items)
    return left_quantity - right_quantity


def newest_owner(session: Session) -> tuple[list[str], str]:
    orders = session.scalars(select(Order).order_by(Order.id.desc())).all()
    return [order.number for order in orders], orders[0].customer.name


def joined_rows(session: Session) -> list[str]:
    rows = session.execute(select(Order.number, Customer.name).join(Order.customer))
    return [f"{number} {name}" for number, name in rows]


def orders_by_customer_id(session: Session) -> dict[int, list[str]]:
    found = defaultdict(list)
    for order in session.scalars(select(Order)):
        found[order.customer_id].append(order.number)
    return found


def names_from_map(session: Session) -> list[str]:
    customers = session.scalars(select(Customer)).all()
    orders = session.scalars(select(Order)).all()
    known = {customer.id for customer in customers}
    return [order.customer.name for order in orders if order.customer_id in known]


def items_in_one_go(session: Session) -> dict[str, list[int]]:
    orders = {order.id: order for order in session.scalars(select(Order))}
    found = defaultdict(list)
    for item in session.scalars(select(Item).where(Item.order_id.in_(orders))):
        found[orders[item.order_id].number].append(item.quantity)
    return found


def counts_by_database(session: Session) -> dict[str, int]:
    statement = select(Order.number, func.count(Item.id)).join(Order.items).group_by(Order.number)
    return {number: count for number, count in session.execute(statement).all() if count}


def cheapest(session: Session) -> list[str]:
    statement = select(Product).order_by(Product.price).limit(3)
    return [f"{product.sku}: {product.price}" for product in session.scalars(statement)]
