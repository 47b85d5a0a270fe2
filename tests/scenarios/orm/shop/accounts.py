"""Bookings on accounts, and what commits do to the instances at hand."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shop.models import Account, LogEntry, Order


def raise_each(session: Session) -> None:
    accounts = session.scalars(select(Account)).all()  # origin: DBG102 Account @test_commit_in_loop
    for account in accounts:  # loop: DBG102 Account @test_commit_in_loop # loop: DBG502 account @test_commit_in_loop
        account.balance += 1  # expect: DBG102 Account @test_commit_in_loop
        session.commit()  # expect: DBG502 account @test_commit_in_loop


def names_after_commit(session: Session) -> list[str]:
    accounts = session.scalars(select(Account)).all()  # origin: DBG102 Account @test_commit_then_loop
    session.add(LogEntry(message="seen"))
    session.commit()
    return [account.name for account in accounts]  # expect: DBG102 Account @test_commit_then_loop # loop: DBG102 Account @test_commit_then_loop  # noqa: E501 # fmt: skip


def names_after_rollback(session: Session) -> list[str]:
    found = []
    accounts = session.scalars(select(Account)).all()  # origin: DBG102 Account @test_rollback_then_loop
    session.rollback()
    for account in accounts:  # loop: DBG102 Account @test_rollback_then_loop
        found.append(account.name)  # expect: DBG102 Account @test_rollback_then_loop
    return found


def total_after_expiry(session: Session) -> int:
    accounts = session.scalars(select(Account)).all()  # origin: DBG102 Account @test_expire_all
    session.execute(update(Account).where(Account.balance < 2).values(balance=2), execution_options={"synchronize_session": False})  # noqa: E501 # fmt: skip
    session.expire_all()
    total = 0
    for account in accounts:  # loop: DBG102 Account @test_expire_all
        total += account.balance  # expect: DBG102 Account @test_expire_all
    return total


def fresh_balances(session: Session) -> list[int]:
    found = []
    for account in session.scalars(select(Account)).all():  # origin: DBG102 Account @test_refresh_in_loop # loop: DBG102 Account @test_refresh_in_loop  # noqa: E501 # fmt: skip
        session.refresh(account)  # expect: DBG102 Account @test_refresh_in_loop
        found.append(account.balance)
    return found


def forget_each(session: Session) -> list[str]:
    found = []
    accounts = session.scalars(select(Account)).all()  # origin: DBG102 Account @test_expire_each
    for account in accounts:  # loop: DBG102 Account @test_expire_each
        session.expire(account)
        found.append(account.name)  # expect: DBG102 Account @test_expire_each
    return found


class Ledger:
    """A unit of work that saves itself."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def accounts(self) -> list[Account]:
        return list(self._session.scalars(select(Account)))  # origin: DBG102 Account @test_save_then_show

    def save(self) -> None:
        self._session.commit()


def close_month(ledger: Ledger) -> str:
    accounts = ledger.accounts()
    for account in accounts:
        account.balance = 0
    ledger.save()
    lines = []
    for account in accounts:  # loop: DBG102 Account @test_save_then_show
        lines.append(_line(account))
    return "\n".join(lines)


def _line(account: Account) -> str:
    return f"{account.name}: {account.balance}"  # expect: DBG102 Account @test_save_then_show


def touched(session: Session) -> list[str]:
    accounts = session.scalars(select(Account)).all()  # origin: DBG102 Account @test_onupdate
    for account in accounts:
        account.balance += 10
    session.flush()
    return [account.touched_at.isoformat() for account in accounts]  # expect: DBG102 Account @test_onupdate # loop: DBG102 Account @test_onupdate  # noqa: E501 # fmt: skip


# --- as it should be ---


def names_requeried(session: Session) -> list[str]:
    accounts = session.scalars(select(Account)).all()
    accounts[0].balance = 7
    session.commit()
    accounts = session.scalars(select(Account).order_by(Account.id)).all()
    return [account.name for account in accounts]


def names_before_commit(session: Session) -> list[str]:
    accounts = session.scalars(select(Account)).all()
    names = [account.name for account in accounts]
    for account in accounts:
        account.balance += 1
    session.commit()
    return names


def deposit(session: Session, account_id: int, amount: int) -> Account:
    account = session.get(Account, account_id)
    account.balance += amount
    session.commit()
    session.refresh(account)
    return account


def transfer(session: Session, source_id: int, target_id: int, amount: int) -> tuple[int, int]:
    source = session.get(Account, source_id)
    target = session.get(Account, target_id)
    source.balance -= amount
    target.balance += amount
    session.commit()
    return source.balance, target.balance


def fresh_by_query(session: Session) -> list[int]:
    stale = session.scalars(select(Account)).all()
    again = select(Account).where(Account.id.in_([a.id for a in stale])).execution_options(populate_existing=True)
    return [account.balance for account in session.scalars(again)]


def undo(session: Session, account_id: int) -> str:
    account = session.get(Account, account_id)
    account.name = "nobody"
    session.flush()
    session.rollback()
    return account.name


def statuses(session: Session) -> list[str]:
    return [order.status for order in session.scalars(select(Order).execution_options(populate_existing=True))]
