"""Lists that load what they show, or nearly."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import (
    Load,
    Session,
    aliased,
    contains_eager,
    joinedload,
    lazyload,
    raiseload,
    selectinload,
    subqueryload,
)

from shop.models import Author, Customer, Invoice, Item, Order, Post, Product, Team


def one_level_short(session: Session) -> int:
    total = 0
    statement = select(Customer).options(selectinload(Customer.orders))
    customers = session.scalars(statement).all()  # origin: DBG101 Order.items @test_level_missing
    for customer in customers:
        for order in customer.orders:  # loop: DBG101 Order.items @test_level_missing
            total += len(order.items)  # expect: DBG101 Order.items @test_level_missing
    return total


def wrong_one(session: Session) -> int:
    total = 0
    statement = select(Order).options(joinedload(Order.customer))
    orders = session.scalars(statement).all()  # origin: DBG101 Order.items @test_wrong_one # expect: DBG107 Order.customer @test_wrong_one  # noqa: E501 # fmt: skip
    for order in orders:  # loop: DBG101 Order.items @test_wrong_one
        total += sum(item.quantity for item in order.items)  # expect: DBG101 Order.items @test_wrong_one
    return total


def joined_in_vain(session: Session) -> list[str]:
    names = []
    statement = select(Order).join(Order.customer).where(Customer.name != "lonely")
    orders = session.scalars(statement).all()  # origin: DBG101 Order.customer @test_join_loads_nothing
    for order in orders:  # loop: DBG101 Order.customer @test_join_loads_nothing
        names.append(order.customer.name)  # expect: DBG101 Order.customer @test_join_loads_nothing
    return names


def members_one_by_one(session: Session) -> list[str]:
    names = []
    statement = select(Team).options(lazyload(Team.members))
    for team in session.scalars(statement).all():  # origin: DBG101 Team.members @test_lazyload_option # loop: DBG101 Team.members @test_lazyload_option  # noqa: E501 # fmt: skip
        names.extend(member.name for member in team.members)  # expect: DBG101 Team.members @test_lazyload_option
    return names


def aliased_orders(session: Session) -> list[str]:
    recent = aliased(Order)
    names = []
    statement = select(recent).where(recent.status == "paid")
    orders = session.scalars(statement).all()  # origin: DBG101 Order.customer @test_aliased
    for order in orders:  # loop: DBG101 Order.customer @test_aliased
        names.append(order.customer.name)  # expect: DBG101 Order.customer @test_aliased
    return names


def pairs(session: Session) -> list[str]:
    lines = []
    both = select(Order, Customer).join(Order.customer).where(Customer.name != "lonely")
    rows = session.execute(both).all()  # origin: DBG101 Customer.addresses @test_two_entities
    for order, customer in rows:  # loop: DBG101 Customer.addresses @test_two_entities
        streets = [address.street for address in customer.addresses]  # expect: DBG101 Customer.addresses @test_two_entities  # noqa: E501 # fmt: skip
        lines.append(f"{order.number} {order.customer.name} {streets}")
    return lines


# --- as it should be ---


def joined(session: Session) -> list[str]:
    statement = select(Order).options(joinedload(Order.customer, innerjoin=True).joinedload(Customer.region))
    return [f"{order.number} {order.customer.region.name}" for order in session.scalars(statement)]


def selected(session: Session) -> list[str]:
    statement = select(Order).options(selectinload(Order.items).joinedload(Item.product), selectinload(Order.shipments))
    return [
        f"{item.product.sku} in {len(order.shipments)}" for order in session.scalars(statement) for item in order.items
    ]


def by_subquery(session: Session) -> int:
    statement = select(Customer).options(subqueryload(Customer.orders).subqueryload(Order.items))
    return sum(len(order.items) for customer in session.scalars(statement) for order in customer.orders)


def contained(session: Session) -> list[str]:
    statement = select(Order).join(Order.customer).options(contains_eager(Order.customer))
    return [order.customer.name for order in session.scalars(statement.where(Customer.name != "lonely"))]


def contained_collection(session: Session) -> list[list[int]]:
    statement = select(Order).join(Order.items).options(contains_eager(Order.items)).where(Item.quantity > 1)
    return [[item.quantity for item in order.items] for order in session.scalars(statement).unique()]


def guarded(session: Session) -> list[str]:
    statement = select(Order).options(joinedload(Order.customer), raiseload("*"))
    return [order.customer.name for order in session.scalars(statement)]


def refused(session: Session) -> list[str]:
    found = []
    for order in session.scalars(select(Order).options(raiseload(Order.items))):
        try:
            found.extend(str(item.id) for item in order.items)
        except InvalidRequestError:
            found.append("refused")
    return found


def teams(session: Session) -> dict[str, int]:
    return {team.name: len(team.members) for team in session.scalars(select(Team))}


def posts(session: Session) -> list[str]:
    return [f"{post.blog.title}: {post.title}" for post in session.scalars(select(Post))]


def invoices(session: Session) -> list[int]:
    statement = select(Invoice).options(selectinload(Invoice.lines))
    return [sum(line.amount for line in invoice.lines) for invoice in session.scalars(statement)]


def with_load(session: Session) -> list[str]:
    statement = select(Order).options(Load(Order).joinedload(Order.customer).load_only(Customer.name))
    return [order.customer.name for order in session.scalars(statement)]


def aliased_loaded(session: Session) -> list[str]:
    buyer = aliased(Customer)
    statement = select(Order).join(Order.customer.of_type(buyer))
    statement = statement.options(contains_eager(Order.customer.of_type(buyer))).where(buyer.name != "lonely")
    return [order.customer.name for order in session.scalars(statement)]


def loaded_later(session: Session) -> list[int]:
    orders = session.scalars(select(Order)).all()
    wanted = [order.id for order in orders if order.status == "paid"]
    paid = session.scalars(select(Order).where(Order.id.in_(wanted)).options(selectinload(Order.items))).all()
    return [len(order.items) for order in orders if order in paid]


def pages(session: Session, size: int) -> Iterator[list[str]]:
    last = 0
    while True:
        page = select(Order).where(Order.id > last).order_by(Order.id).limit(size)
        orders = session.scalars(page.options(selectinload(Order.items))).all()
        if not orders:
            return
        last = orders[-1].id
        yield [f"{order.number} {len(order.items)}" for order in orders]


def authors(session: Session) -> dict[str, list[str]]:
    statement = select(Author).options(selectinload(Author.books))
    return {author.name: [book.title for book in author.books] for author in session.scalars(statement)}


def reviewed(session: Session) -> list[int]:
    statement = select(Product).options(joinedload(Product.reviews), joinedload(Product.category))
    return [
        len(product.reviews) for product in session.scalars(statement).unique() if product.category.name != "tools-0"
    ]
