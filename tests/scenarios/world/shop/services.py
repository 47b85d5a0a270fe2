"""Services and a unit of work above the repositories."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from sqlalchemy.orm import Session, sessionmaker

from shop.models import AuditLog, Customer, Order, Product
from shop.repositories import Customers, Orders, Products, Repository


class AuditLogs(Repository[AuditLog]):
    model = AuditLog


class UnitOfWork:
    """One transaction and its repositories."""

    def __init__(self, maker: sessionmaker[Session]) -> None:
        self.maker = maker

    def __enter__(self) -> Self:
        self.session = self.maker()
        self.customers = Customers(self.session)
        self.orders = Orders(self.session)
        self.products = Products(self.session)
        self.audit = AuditLogs(self.session)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.rollback()
        self.session.close()

    def commit(self) -> None:
        self.session.commit()  # expect: DBG502 audit_log @test_unit_of_work_for_each_message


class Catalogue:
    """Prices of products."""

    def __init__(self, products: Products) -> None:
        self.products = products

    def price(self, pk: int) -> int:
        product = self.products.get(pk)
        assert product is not None
        return product.price


class Checkout:
    """Prices a basket."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def price(self, basket: dict[int, int]) -> int:
        total = 0
        for pk, quantity in basket.items():  # loop: DBG103 product @test_generic_get_through_three_layers
            total += quantity * self.catalogue.price(pk)
        return total

    def price_at_once(self, basket: dict[int, int]) -> int:
        products = self.catalogue.products.many(list(basket))
        return sum(products[pk].price * quantity for pk, quantity in basket.items())

    def price_warmed(self, basket: dict[int, int]) -> int:
        warm = self.catalogue.products.many(list(basket))
        assert warm
        return sum(self.catalogue.price(pk) * quantity for pk, quantity in basket.items())


def order_size(order: Order) -> int:
    return sum(item.quantity for item in order.items)  # expect: DBG101 Order.items @test_service_lazy_two_layers


def open_sizes(orders: Orders) -> dict[int, int]:
    opened = orders.open()
    return {order.id: order_size(order) for order in opened}  # loop: DBG101 Order.items @test_service_lazy_two_layers


def activity(orders: Orders, ids: list[int]) -> list[int]:
    counts = []
    for pk in ids:  # loop: DBG103 orders @test_count_for_each
        counts.append(orders.count(Order.customer_id == pk))
    return counts


def inactive(orders: Orders, ids: list[int]) -> list[int]:
    return [pk for pk in ids if not orders.exists(Order.customer_id == pk)]  # loop: DBG103 orders @test_exists_for_each


def write_audit(audit: AuditLogs, messages: list[str]) -> None:
    for message in messages:  # loop: DBG104 audit_log @test_repository_add_in_a_loop
        audit.add(AuditLog(message=message))


def lifetime_values(uow: UnitOfWork) -> dict[str, int]:
    values = {}
    for customer in uow.customers.all():  # loop: DBG101 Customer.orders @test_unit_of_work_lazy
        orders = customer.orders  # expect: DBG101 Customer.orders @test_unit_of_work_lazy
        values[customer.name] = sum(order.total for order in orders)
    return values


def handle_messages(maker: sessionmaker[Session], messages: list[str]) -> None:
    for message in messages:  # loop: DBG502 audit_log @test_unit_of_work_for_each_message
        with UnitOfWork(maker) as uow:
            uow.session.add(AuditLog(message=message))
            uow.commit()


def compare(customers: Customers, first: int, second: int) -> bool:
    one, other = customers.get(first), customers.get(second)
    assert one is not None
    assert other is not None
    return one.tier == other.tier


def tiers(customers: Customers) -> dict[str, int]:
    return {tier: len(customers.by_tier(tier)) for tier in ("basic",)}


def sell(uow: UnitOfWork, customer_id: int, product_ids: list[int]) -> Order:
    customer = uow.customers.get(customer_id)
    products = uow.products.many(product_ids)
    assert isinstance(customer, Customer)
    from datetime import date

    order = Order(customer=customer, placed_on=date(2024, 2, 1), total=sum(p.price for p in products.values()))
    uow.session.add(order)
    for product in products.values():
        product.stock -= 1
    uow.audit.add(AuditLog(message="sold"))
    uow.commit()
    return order


def cheapest(products: Products) -> Product:
    return min(products.iterate(), key=lambda product: (product.price, product.id))
