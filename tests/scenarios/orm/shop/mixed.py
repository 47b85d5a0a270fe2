"""Where two things meet: loads below loads, sessions per row, eager loads on odd paths."""

from __future__ import annotations

import pickle
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, joinedload, scoped_session, selectinload, sessionmaker

from shop.models import Account, Category, Company, Customer, Engineer, Order, Product, Setting


def remarks(session: Session) -> list[str]:
    found = []
    orders = session.scalars(select(Order)).all()  # origin: DBG101 Order.customer @test_deferred_below_lazy # origin: DBG102 Customer.remarks @test_deferred_below_lazy  # noqa: E501 # fmt: skip
    for order in orders:  # loop: DBG101 Order.customer @test_deferred_below_lazy # loop: DBG102 Customer.remarks @test_deferred_below_lazy  # noqa: E501 # fmt: skip
        customer = order.customer  # expect: DBG101 Order.customer @test_deferred_below_lazy
        found.append(customer.remarks)  # expect: DBG102 Customer.remarks @test_deferred_below_lazy
    return found


def languages(session: Session) -> list[str]:
    found = []
    statement = select(Company).options(selectinload(Company.employees))
    companies = session.scalars(statement).all()  # origin: DBG102 Engineer.language @test_subclass_below_eager
    for company in companies:
        # the person changes in this loop, so this one repeats
        for person in company.employees:  # loop: DBG102 Engineer.language @test_subclass_below_eager
            if isinstance(person, Engineer):
                found.append(person.language)  # expect: DBG102 Engineer.language @test_subclass_below_eager
    return found


def numbers_by_session(sessions: sessionmaker[Session], ids: list[int]) -> list[str]:
    found = []
    for order_id in ids:  # loop: DBG103 orders @test_session_per_row
        with sessions() as session:
            found.append(session.get(Order, order_id).number)  # expect: DBG103 orders @test_session_per_row
    return found


def owners_by_registry(registry: scoped_session[Session]) -> list[str]:
    found = []
    for order in registry.scalars(select(Order)).all():  # origin: DBG101 Order.customer @test_scoped_session # loop: DBG101 Order.customer @test_scoped_session  # noqa: E501 # fmt: skip
        found.append(order.customer.name)  # expect: DBG101 Order.customer @test_scoped_session
    return found


def filtered(session: Session) -> list[str]:
    statement = select(Order).join(Order.customer).options(contains_eager(Order.customer))
    orders = session.scalars(statement.where(Customer.name != "lonely"))  # expect: DBG107 Order.customer @test_contained_unread  # noqa: E501 # fmt: skip
    return [order.number for order in orders]


def number_of(session: Session, order_id: int) -> str:
    order = session.get(Order, order_id, options=[selectinload(Order.items)])  # expect: DBG107 Order.items @test_unread_of_get  # noqa: E501 # fmt: skip
    return order.number


def page(session: Session, order_id: int) -> tuple[int, int]:
    options = [joinedload(Order.items), joinedload(Order.shipments)]
    order = session.get(Order, order_id, options=options)  # expect: DBG109 Order.items @test_two_collections_of_get
    return len(order.items), len(order.shipments)


def by_ids(session: Session, ids: list[int]) -> list[str]:
    found = []
    orders = session.scalars(select(Order).where(Order.id.in_(ids))).all()  # origin: DBG106 Order.customer @test_list_of_one  # noqa: E501 # fmt: skip
    for order in orders:  # loop: DBG106 Order.customer @test_list_of_one
        found.append(order.customer.name)  # expect: DBG106 Order.customer @test_list_of_one
    return found


def sidebar(session: Session) -> list[str]:
    return [category.name for category in session.scalars(select(Category))]  # origin: DBG105 category @test_list_twice


def menu(session: Session) -> int:
    categories = session.scalars(select(Category)).all()  # expect: DBG105 category @test_list_twice
    return max(category.id for category in categories)


def layout(session: Session) -> tuple[list[str], int]:
    return sidebar(session), menu(session)


def sizes_after_commit(session: Session) -> list[int]:
    statement = select(Order).where(Order.status == "paid").options(selectinload(Order.items))
    orders = session.scalars(statement).all()  # origin: DBG102 Order @test_eager_then_commit
    session.commit()
    return [len(order.items) for order in orders]  # expect: DBG102 Order @test_eager_then_commit # loop: DBG102 Order @test_eager_then_commit  # noqa: E501 # fmt: skip


def settle(session: Session) -> None:
    accounts = session.scalars(select(Account).order_by(Account.id)).all()
    for number, account in enumerate(accounts):
        if number % 2:
            account.balance = 9
        else:
            account.name = f"closed-{number}"
    session.commit()  # expect: DBG110 account @test_rows_differ


def lookup(session: Session, name: str) -> str:
    # asked by two steps, through one and the same line
    return session.scalars(select(Setting.value).where(Setting.name == name)).one()  # expect: DBG105 setting @test_helper_twice  # noqa: E501 # fmt: skip


def step_one(session: Session) -> str:
    return lookup(session, "mail")


def step_two(session: Session) -> str:
    return lookup(session, "mail").upper()


def steps(session: Session) -> tuple[str, str]:
    return step_one(session), step_two(session)


# --- as it should be ---


def loaded_orders(session: Session, use: Callable[[Order], object]) -> list[object]:
    statement = select(Order).options(selectinload(Order.items), joinedload(Order.customer))
    return [use(order) for order in session.scalars(statement)]


def two_uses(session: Session) -> tuple[list[object], list[object]]:
    sizes = loaded_orders(session, lambda order: len(order.items))
    session.commit()
    names = loaded_orders(session, lambda order: order.customer.name)
    return sizes, names


def frozen(session: Session) -> bytes:
    return pickle.dumps(session.scalars(select(Customer).options(selectinload(Customer.orders))).all())


def without_category(session: Session) -> list[str]:
    session.add_all([Product(sku=f"loose-{number}") for number in range(3)])
    session.flush()
    session.expunge_all()
    loose = select(Product).where(Product.sku.like("loose-%")).options(joinedload(Product.category))
    return [product.sku for product in session.scalars(loose) if product.category is None]


def missing(session: Session) -> str:
    order = session.get(Order, 999, options=[selectinload(Order.items)])
    return "none" if order is None else f"{len(order.items)}"


def newest_with_items(session: Session) -> list[int]:
    newest = select(Order.id).order_by(Order.id.desc()).limit(3)
    found = session.scalars(select(Order).where(Order.id.in_(newest)).options(joinedload(Order.items))).unique()
    return [len(order.items) for order in found]


def settle_alike(session: Session) -> None:
    for account in session.scalars(select(Account)):
        account.balance = 9
    session.commit()


def remarks_loaded(session: Session) -> list[str]:
    statement = select(Order).options(joinedload(Order.customer).undefer(Customer.remarks))
    return [order.customer.remarks for order in session.scalars(statement)]


def read_as_one(sessions: sessionmaker[Session]) -> tuple[str, str]:
    with sessions() as session:
        first = session.get(Order, 1).number
    with sessions() as session:
        return first, session.get(Order, 2).number
