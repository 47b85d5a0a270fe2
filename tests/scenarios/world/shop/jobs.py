"""Batch jobs and a command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from datetime import date

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from shop.models import AuditLog, Base, Category, Customer, Item, Job, Order, Outbox, Product, Setting


def close_orders(session: Session) -> int:
    orders = session.scalars(select(Order).where(Order.state == "open")).all()
    ids = [order.id for order in orders]
    for pk in ids:  # loop: DBG502 orders @test_job_commits_each_order
        session.execute(update(Order).where(Order.id == pk).values(state="closed"))  # expect: DBG502 orders @test_job_commits_each_order  # noqa: E501 # fmt: skip
        session.commit()
    return len(ids)


def mail_reminders(maker: sessionmaker[Session], send: Callable[[str], None]) -> int:
    """A new session and a commit for each customer."""
    with maker() as session:
        ids = session.scalars(select(Customer.id)).all()
    for pk in ids:  # loop: DBG502 customer @test_session_for_each  # loop: DBG103 customer @test_session_for_each
        with maker() as session:
            customer = session.get_one(Customer, pk)  # expect: DBG103 customer @test_session_for_each
            send(customer.email)
            customer.note = "reminded"
            session.commit()  # expect: DBG502 customer @test_session_for_each
    return len(ids)


def nightly(session: Session, day: date) -> dict[str, int]:
    """Four different steps, each committed."""
    done = {}
    for name, step in (("close", step_close), ("purge", step_purge), ("count", step_count), ("log", step_log)):
        done[name] = step(session, day)
        session.commit()
    return done


def step_close(session: Session, day: date) -> int:
    stmt = update(Order).where(Order.placed_on < day).values(state="closed")
    session.execute(stmt.execution_options(synchronize_session=False))
    return 1


def step_purge(session: Session, day: date) -> int:
    session.execute(delete(Outbox).where(Outbox.sent.is_(True)))
    return 2


def step_count(session: Session, day: date) -> int:
    return session.scalar(select(func.count()).select_from(Order).where(Order.placed_on < day)) or 0


def step_log(session: Session, day: date) -> int:
    session.add(AuditLog(message=f"night of {day}"))
    return 4


def run(session: Session, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export")
    export.add_argument("ids", nargs="+", type=int)
    commands.add_parser("totals")
    options = parser.parse_args(arguments)
    if options.command == "export":
        return export_orders(session, options.ids)
    return len(totals(session))


def export_orders(session: Session, ids: Iterable[int]) -> int:
    written = 0
    for pk in ids:  # loop: DBG103 orders @test_command_line_export
        order = session.get(Order, pk)  # expect: DBG103 orders @test_command_line_export
        assert order is not None
        written += order.total
    return written


def totals(session: Session) -> dict[int, int]:
    rows = session.execute(select(Order.customer_id, func.sum(Order.total)).group_by(Order.customer_id))
    return {pk: total for pk, total in rows}  # noqa: C416


def mark_all_read(session: Session) -> None:
    session.execute(update(AuditLog).values(message="read"))  # expect: DBG501 audit_log @test_update_without_where
    session.commit()


def empty_outbox(session: Session) -> None:
    session.execute(delete(Outbox))  # expect: DBG501 outbox @test_delete_without_where
    session.commit()


def reset_stock(session: Session) -> None:
    session.execute(text("UPDATE product SET stock = 0"))  # expect: DBG501 product @test_text_update_without_where


def drop_settings(session: Session) -> int:
    return session.query(Setting).delete()  # expect: DBG501 setting @test_query_delete_without_where


def conditions(state: str | None) -> list[object]:
    return [Job.state == state] if state else []


def cancel_jobs(session: Session, state: str | None = None) -> None:
    """Forget the filter when the argument is not given."""
    stmt = update(Job).where(*conditions(state)).values(state="cancelled")  # type: ignore[arg-type]
    session.execute(stmt)  # expect: DBG501 job @test_optional_filter_missing


def deactivate(session: Session, before: date) -> None:
    orders = select(Order.customer_id).where(Order.placed_on < before)
    stmt = update(Customer).where(Customer.id.in_(orders)).values(tier="old")
    session.execute(stmt.execution_options(synchronize_session=False))


def delete_with_items(session: Session, state: str) -> None:
    """Delete children of filtered parents with a correlated EXISTS."""
    parent = select(Order.id).where(Order.id == Item.order_id, Order.state == state).exists()
    session.execute(delete(Item).where(parent).execution_options(synchronize_session=False))


def copy_log(session: Session) -> None:
    """INSERT from SELECT has no WHERE and needs none."""
    session.execute(insert(AuditLog).from_select(["message"], select(Category.name)))


def rebuild(session: Session) -> None:
    """Empty and fill a table that the job itself made."""
    connection = session.connection()
    connection.execute(text("CREATE TEMPORARY TABLE ranking (pk INTEGER, total INTEGER)"))
    connection.execute(text("DELETE FROM ranking"))
    connection.execute(text("INSERT INTO ranking SELECT customer_id, sum(total) FROM orders GROUP BY customer_id"))
    connection.execute(text("DROP TABLE ranking"))


def change_two(session: Session, state: str) -> int:
    """A unit of work writes without any UPDATE that lacks a WHERE."""
    jobs = session.scalars(select(Job).where(Job.id <= 2)).all()
    for job in jobs:
        job.state = state
    session.commit()
    return len(jobs)


def tables() -> list[str]:
    return sorted(Base.metadata.tables)


def low_stock(session: Session) -> int:
    """One commit behind the loop."""
    changed = 0
    for product in session.scalars(select(Product).where(Product.stock < 100)):
        product.stock += 100
        changed += 1
    session.commit()
    return changed
