"""Finding rows by their keys."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from shop.models import Customer, Item, Order, Product


def names(session: Session, customer_ids: Iterable[int]) -> list[str]:
    found = []
    for customer_id in customer_ids:  # loop: DBG103 customer @test_get_by_id
        found.append(session.get(Customer, customer_id).name)  # expect: DBG103 customer @test_get_by_id
    return found


class Products:
    """A repository of products."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def by_id(self, product_id: int) -> Product:
        return self._session.get_one(Product, product_id)  # expect: DBG103 product @test_get_by_foreign_key

    def by_sku(self, sku: str) -> Product | None:
        return self._session.query(Product).filter_by(sku=sku).one_or_none()  # expect: DBG103 product @test_get_or_create  # noqa: E501 # fmt: skip

    def many(self, product_ids: Iterable[int]) -> dict[int, Product]:
        found = self._session.scalars(select(Product).where(Product.id.in_(product_ids)))
        return {product.id: product for product in found}


def skus_of_items(session: Session) -> list[str]:
    products = Products(session)
    found = []
    for item in session.scalars(select(Item)).all():  # loop: DBG103 product @test_get_by_foreign_key
        found.append(products.by_id(item.product_id).sku)
    return found


def import_skus(session: Session, skus: Iterable[str]) -> int:
    products, made = Products(session), 0
    for sku in skus:  # loop: DBG103 product @test_get_or_create
        if products.by_sku(sku) is None:
            session.add(Product(sku=sku))
            made += 1
    session.commit()
    return made


def statuses(session: Session, numbers: Iterable[str]) -> list[str]:
    found = []
    for number in numbers:  # loop: DBG103 orders @test_one_by_number
        order = session.scalars(select(Order).where(Order.number == number)).one()  # expect: DBG103 orders @test_one_by_number  # noqa: E501 # fmt: skip
        found.append(order.status)
    return found


def warm(session: Session) -> None:
    session.scalars(select(Customer)).all()


def owners_after_warming(session: Session) -> list[str]:
    warm(session)
    owner_ids = session.scalars(select(Order.customer_id).distinct()).all()
    found = []
    for owner_id in owner_ids:  # loop: DBG103 customer @test_warmed_in_vain
        owner = session.get(Customer, owner_id)  # expect: DBG103 customer @test_warmed_in_vain
        found.append(owner.name)
    return found


# --- as it should be ---


def owners_kept(session: Session) -> list[str]:
    customers = session.scalars(select(Customer)).all()
    owner_ids = session.scalars(select(Order.customer_id).distinct()).all()
    return [session.get(Customer, owner_id).name for owner_id in owner_ids if customers]


def skus_in_one_go(session: Session) -> list[str]:
    items = session.scalars(select(Item)).all()
    products = Products(session).many({item.product_id for item in items})
    return [products[item.product_id].sku for item in items]


def buyer_and_seller(session: Session, buyer_id: int, seller_id: int) -> tuple[str, str]:
    buyer = session.get(Customer, buyer_id)
    seller = session.get(Customer, seller_id)
    return buyer.name, seller.name


def import_new_skus(session: Session, skus: Iterable[str]) -> int:
    wanted = set(skus)
    wanted -= set(session.scalars(select(Product.sku).where(Product.sku.in_(wanted))))
    session.add_all([Product(sku=sku) for sku in sorted(wanted)])
    session.commit()
    return len(wanted)


def greeted_again(session: Session, customer_id: int) -> list[str]:
    customer = session.get(Customer, customer_id)
    return [f"{hour} {session.get(Customer, customer_id).name}" for hour in range(3)] + [customer.email]


def order_with_owner(session: Session, order_id: int) -> str:
    order = session.get(Order, order_id, options=[joinedload(Order.customer)])
    return f"{order.number} {order.customer.name}"
