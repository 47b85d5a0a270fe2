"""A checkout of several steps, some of which ask what others know already."""

from __future__ import annotations

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from shop.models import Account, Customer, Order, Setting


def tax(session: Session) -> str:
    return session.scalars(select(Setting.value).where(Setting.name == "tax")).one()  # origin: DBG105 setting @test_setting_twice  # noqa: E501 # fmt: skip


def mail_footer(session: Session) -> str:
    value = session.scalars(select(Setting.value).where(Setting.name == "tax")).one()  # expect: DBG105 setting @test_setting_twice  # noqa: E501 # fmt: skip
    return f"tax is {value}"


def check_out(session: Session) -> str:
    return f"{tax(session)} {mail_footer(session)}"


def check_permission(session: Session, email: str) -> bool:
    user = session.scalars(select(Customer).where(Customer.email == email)).one()  # origin: DBG105 customer @test_user_twice  # noqa: E501 # fmt: skip
    return user.name != "lonely"


def write_audit(session: Session, email: str) -> str:
    user = session.scalars(select(Customer).where(Customer.email == email)).one()  # expect: DBG105 customer @test_user_twice  # noqa: E501 # fmt: skip
    return f"{user.name} did it"


def act(session: Session, email: str) -> str:
    return write_audit(session, email) if check_permission(session, email) else ""


def header(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Order))  # origin: DBG105 orders @test_count_twice


def footer(session: Session) -> str:
    return f"{session.scalar(select(func.count()).select_from(Order))} orders"  # expect: DBG105 orders @test_count_twice  # noqa: E501 # fmt: skip


def page(session: Session) -> tuple[int, str]:
    return header(session), footer(session)


# --- as it should be ---


def balance(session: Session, account_id: int) -> int:
    return session.scalars(select(Account.balance).where(Account.id == account_id)).one()


def book(session: Session, account_id: int, amount: int) -> tuple[int, int]:
    before = balance(session, account_id)
    session.execute(update(Account).where(Account.id == account_id).values(balance=before + amount))
    after = session.scalars(select(Account.balance).where(Account.id == account_id)).one()
    return before, after


def book_by_text(session: Session, account_id: int) -> tuple[int, int]:
    before = balance(session, account_id)
    session.execute(text("UPDATE account SET balance = balance + 1 WHERE id = :id"), {"id": account_id})
    after = session.scalars(select(Account.balance).where(Account.id == account_id)).one()
    return before, after


def book_by_unit_of_work(session: Session, account_id: int) -> int:
    account = session.scalars(select(Account).where(Account.id == account_id)).one()
    account.balance += 3
    session.flush()
    return session.scalars(select(Account).where(Account.id == account_id)).one().balance


def watch(session: Session, account_id: int) -> tuple[int, int]:
    first = balance(session, account_id)
    session.commit()
    second = session.scalars(select(Account.balance).where(Account.id == account_id)).one()
    return first, second


def two_settings(session: Session) -> tuple[str, str]:
    mail = session.scalars(select(Setting.value).where(Setting.name == "mail")).one()
    beta = session.scalars(select(Setting.value).where(Setting.name == "beta")).one()
    return mail, beta


def count_and_page(session: Session) -> tuple[int, list[str]]:
    paid = select(Order).where(Order.status == "paid")
    total = session.scalar(select(func.count()).select_from(paid.subquery()))
    return total, [order.number for order in session.scalars(paid.limit(3))]


def lock(session: Session, account_id: int) -> int:
    account = session.scalars(select(Account).where(Account.id == account_id)).one()
    if account.balance < 0:
        return 0
    locked = select(Account).where(Account.id == account_id).with_for_update()
    return session.scalars(locked.execution_options(populate_existing=True)).one().balance


def current_user(session: Session, user_id: int) -> Customer:
    return session.get(Customer, user_id)


def greet(session: Session, user_id: int) -> str:
    user = current_user(session, user_id)
    return f"{user.name} {current_user(session, user_id).email}"
