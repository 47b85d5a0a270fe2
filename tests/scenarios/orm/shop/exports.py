"""Exports that load more than they write."""

from __future__ import annotations

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session, joinedload, selectinload, subqueryload

from shop.models import Customer, Employee, EmployeeSkill, Order, Post, Product, Team


def numbers(session: Session) -> list[str]:
    statement = select(Order).options(selectinload(Order.items))
    orders = session.scalars(statement).all()  # expect: DBG107 Order.items @test_selectin_unread
    return [order.number for order in orders]


def emails(session: Session) -> list[str]:
    statement = select(Customer).options(joinedload(Customer.region))
    return [customer.email for customer in session.scalars(statement)]  # expect: DBG107 Customer.region @test_joined_unread  # noqa: E501 # fmt: skip


def order_numbers(session: Session) -> list[str]:
    statement = select(Customer).options(selectinload(Customer.orders).selectinload(Order.items))
    customers = session.scalars(statement).all()  # expect: DBG107 Order.items @test_second_level_unread
    return [order.number for customer in customers for order in customer.orders]


def post_titles(session: Session) -> list[str]:
    return [post.title for post in session.scalars(select(Post))]  # expect: DBG107 Post.blog @test_mapped_joined_unread


def team_names(session: Session) -> list[str]:
    teams = session.scalars(select(Team).order_by(Team.name)).all()  # expect: DBG107 Team.members @test_mapped_selectin_unread  # noqa: E501 # fmt: skip
    return [team.name for team in teams]


def streetless(session: Session) -> list[str]:
    statement = select(Customer).options(subqueryload(Customer.addresses))
    customers = session.scalars(statement).all()  # expect: DBG107 Customer.addresses @test_subquery_unread
    return [customer.name for customer in customers]


def by_key(session: Session) -> dict[int, int]:
    statement = select(Order).options(joinedload(Order.customer))
    orders = session.scalars(statement).all()  # expect: DBG107 Order.customer @test_foreign_key_read
    return {order.id: order.customer_id for order in orders}


def one_of_two(session: Session) -> list[int]:
    statement = select(Order).options(selectinload(Order.items), selectinload(Order.shipments))
    orders = session.scalars(statement).all()  # expect: DBG107 Order.shipments @test_one_of_two_unread
    return [len(order.items) for order in orders]


# --- as it should be ---


def disputes(session: Session) -> list[str]:
    statement = select(Order).options(selectinload(Order.items))
    lines = []
    for order in session.scalars(statement):
        if order.status == "disputed":
            lines.append(f"{order.number}: {len(order.items)}")
    return lines


def first_only(session: Session) -> int:
    customers = session.scalars(select(Customer).options(selectinload(Customer.orders))).all()
    return len(customers[0].orders) + len([customer.name for customer in customers])


def by_proxy(session: Session) -> set[str]:
    statement = select(Product).options(selectinload(Product.tags))
    return {name for product in session.scalars(statement) for name in product.tag_names}


def by_hybrid(session: Session) -> list[int]:
    statement = select(Customer).options(selectinload(Customer.orders))
    return [customer.order_count for customer in session.scalars(statement)]


def by_name(session: Session, name: str) -> list[object]:
    return [getattr(order, name) for order in session.scalars(select(Order).options(joinedload(Order.customer)))]


def by_state(session: Session) -> list[int]:
    statement = select(Order).options(selectinload(Order.items))
    return [len(inspect(order).attrs["items"].loaded_value) for order in session.scalars(statement)]


def loaded_for_caller(session: Session) -> list[Customer]:
    return list(session.scalars(select(Customer).options(selectinload(Customer.addresses))))


def nothing_found(session: Session) -> list[str]:
    statement = select(Order).where(Order.status == "burnt").options(selectinload(Order.items))
    return [f"{order.number} {len(order.items)}" for order in session.scalars(statement)]


def skill_names(session: Session) -> list[str]:
    links = selectinload(Employee.skill_links).joinedload(EmployeeSkill.skill)
    return [skill.name for person in session.scalars(select(Employee).options(links)) for skill in person.skills]


def contains(session: Session) -> bool:
    orders = session.scalars(select(Order).options(selectinload(Order.items))).all()
    return any(item not in orders[1].items for order in orders[:1] for item in order.items)


def replaced(session: Session) -> None:
    orders = session.scalars(select(Order).where(Order.id < 4).options(selectinload(Order.shipments)))
    for order in orders:
        order.shipments.reverse()
