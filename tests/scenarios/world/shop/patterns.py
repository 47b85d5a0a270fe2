"""Loops of several statements, and questions asked twice."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from shop.models import AuditLog, Customer, Item, Job, Order, Outbox, Product, Rate, Setting


def order_cards(session: Session, ids: list[int]) -> list[str]:
    cards = []
    for pk in ids:  # loop: DBG103 orders @test_a_b_in_one_loop
        stmt = select(Order.state).where(Order.id == pk)
        state = session.scalars(stmt).one()  # expect: DBG103 orders @test_a_b_in_one_loop
        items = session.scalars(select(func.count()).where(Item.order_id == pk)).one()
        cards.append(f"{state} {items}")
    return cards


def customer_cards(session: Session, ids: list[int]) -> list[tuple[str, int, int]]:
    return [customer_card(session, pk) for pk in ids]  # loop: DBG103 customer @test_a_b_c_below_a_loop


def customer_card(session: Session, pk: int) -> tuple[str, int, int]:
    stmt = select(Customer.name).where(Customer.id == pk)
    name = session.scalars(stmt).one()  # expect: DBG103 customer @test_a_b_c_below_a_loop
    orders = session.scalars(select(func.count()).where(Order.customer_id == pk)).one()
    stmt_sum = select(func.coalesce(func.sum(Order.total), 0)).where(Order.customer_id == pk)
    return name, orders, session.scalars(stmt_sum).one()


def two_loops(session: Session, ids: list[int]) -> int:
    """Two loops, one behind the other: two findings."""
    total = 0
    for pk in ids:  # loop: DBG103 product @test_two_loops_behind_each_other
        stmt = select(Product.price).where(Product.id == pk)
        total += session.scalars(stmt).one()  # expect: DBG103 product @test_two_loops_behind_each_other
    for pk in ids:  # loop: DBG103 rate @test_two_loops_behind_each_other
        rate = select(Rate.value).where(Rate.id == pk)
        total += session.scalars(rate).one()  # expect: DBG103 rate @test_two_loops_behind_each_other
    return total


def read_and_write(session: Session, ids: list[int]) -> None:
    """A read and a write in each round: two facts, two fixes."""
    for pk in ids:  # loop: DBG103 product @test_read_and_write  # loop: DBG104 product @test_read_and_write
        price = select(Product.price).where(Product.id == pk)
        old = session.scalars(price).one()  # expect: DBG103 product @test_read_and_write
        stmt = update(Product).where(Product.id == pk).values(price=old + 1)
        session.execute(stmt)  # expect: DBG104 product @test_read_and_write


def nested(session: Session) -> int:
    """An inner loop below an outer one: the inner loop repeats it most."""
    total = 0
    customers = session.scalars(select(Customer.id)).all()
    for pk in customers:  # loop: DBG103 orders @test_nested_loops
        stmt = select(Order.id).where(Order.customer_id == pk)
        ids = session.scalars(stmt).all()  # expect: DBG103 orders @test_nested_loops
        for order_id in ids:  # loop: DBG103 item @test_nested_loops
            amount = select(func.sum(Item.quantity)).where(Item.order_id == order_id)
            total += session.scalars(amount).one()  # expect: DBG103 item @test_nested_loops
    return total


def vat(session: Session) -> int:
    stmt = select(Setting.value).where(Setting.key == "key2")
    found = session.scalars(stmt)  # expect: DBG105 setting @test_vat_twice  # origin: DBG105 setting @test_vat_twice
    return int(found.one())


def net(session: Session, amount: int) -> int:
    return amount - vat(session)


def gross(session: Session, amount: int) -> int:
    return amount + vat(session)


def quote(session: Session, amount: int) -> str:
    """Ask for the same setting below two callees."""
    return f"{net(session, amount)} {gross(session, amount)}"


def invoice_header(session: Session, pk: int) -> str:
    stmt = select(Customer.name).where(Customer.id == pk)
    return session.scalars(stmt).one()  # origin: DBG105 customer @test_two_helpers_one_question


def invoice_footer(session: Session, pk: int) -> str:
    stmt = select(Customer.name).where(Customer.id == pk)
    return session.scalars(stmt).one()  # expect: DBG105 customer @test_two_helpers_one_question


def invoice(session: Session, pk: int) -> str:
    return invoice_header(session, pk) + "..." + invoice_footer(session, pk)


def open_jobs(session: Session) -> int:
    return session.scalars(select(func.count()).where(Job.state == "waiting")).one()


def jobs_before_and_after(session: Session) -> tuple[int, int]:
    """The write between makes the second question another one."""
    before = session.scalars(select(func.count()).where(Job.state == "waiting")).one()
    session.execute(update(Job).where(Job.id == 1).values(state="done"))
    after = session.scalars(select(func.count()).where(Job.state == "waiting")).one()
    return before, after


def jobs_in_two_transactions(session: Session) -> tuple[int, int]:
    """Another transaction may see another answer."""
    before = session.scalars(select(func.count()).where(Job.state == "waiting")).one()
    session.commit()
    after = session.scalars(select(func.count()).where(Job.state == "waiting")).one()
    return before, after


def same_text_other_key(session: Session) -> str:
    first = session.scalars(select(Setting.value).where(Setting.key == "key1")).one()
    other = session.scalars(select(Setting.value).where(Setting.key == "key2")).one()
    return first + other


def locked_again(session: Session) -> int:
    """Read, then lock and read: what optimistic checks before a write do."""
    job = session.scalars(select(Job).where(Job.id == 1)).one()
    if job.state != "waiting":
        return 0
    locked = session.scalars(select(Job).where(Job.id == 1).with_for_update()).one()
    locked.state = "running"
    session.flush()
    return locked.id


def outbox_and_log(session: Session, topics: list[str]) -> int:
    """Two statements of different tables on four lines, no loop."""
    session.add(Outbox(topic=topics[0]))
    session.add(Outbox(topic=topics[1]))
    session.add(AuditLog(message=topics[0]))
    session.add(AuditLog(message=topics[1]))
    session.flush()
    return len(topics)


def by_state(session: Session) -> dict[str, int]:
    """A loop over the two states that there are: a constant of the program, not data."""
    stmt = select(Order.state, func.count()).group_by(Order.state)
    known = {state: amount for state, amount in session.execute(stmt)}  # noqa: C416
    return {state: known.get(state, 0) for state in ("open", "closed")}
