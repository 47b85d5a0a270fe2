"""Eager loads over a whole run: merged over tests and workers."""

from __future__ import annotations

import json

import pytest

SHOP = """
from __future__ import annotations

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    items: Mapped[list[Item]] = relationship()


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)


def used(session):
    return session.scalars(select(Order).options(selectinload(Order.items))).all()


def unused(session):
    return session.scalars(select(Order).options(selectinload(Order.items)).order_by(Order.id)).all()
"""
CONFTEST = """
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from shop import Base, Item, Order


@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Order(items=[Item(), Item()]) for _ in range(3)])
        session.commit()
    with Session(engine) as session:
        yield session
    engine.dispose()
"""
TESTS = """
from shop import used, unused


def test_ids(session):
    assert [order.id for order in used(session)] == [1, 2, 3]


def test_items(session):
    assert [len(order.items) for order in used(session)] == [2, 2, 2]


def test_unused(session):
    assert [order.id for order in unused(session)] == [1, 2, 3]


def test_unused_again(session):
    assert [order.id for order in unused(session)] == [1, 2, 3]
"""


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), {(24, "note", 1), (28, "warning", 2)}),
        (("-n2",), {(24, "note", 1), (28, "warning", 2)}),
        (("-k", "unused"), {(28, "note", 2)}),
        (("--dbguard-ignore=DBG107",), set()),
    ],
    ids=["whole", "workers", "some", "ignored"],
)
def test_a_load_is_unused_when_no_test_reads_it(pytester, flags, expected):
    pytester.makepyfile(shop=SHOP, conftest=CONFTEST, test_shop=TESTS)
    result = pytester.runpytest_subprocess("--dbguard", "--dbguard-report=json:report.json", *flags)
    report = json.loads((pytester.path / "report.json").read_text())
    found = {(f["site"]["line"], f["severity"], len(f["tests"])) for f in report["findings"] if f["rule"] == "DBG107"}
    assert found == expected
    assert result.ret == (1 if any(severity == "warning" for _, severity, _ in expected) else 0)


@pytest.mark.parametrize("flags", [("-x",), ()], ids=str)
def test_nothing_is_said_of_the_suite_when_a_test_broke_off(pytester, flags):
    tests = """
        from shop import unused

        def test_breaks_off_before_it_reads(session):
            orders = unused(session)
            assert len(orders) == 2
            assert [len(order.items) for order in orders] == [2, 2, 2]

        def test_ids(session):
            assert [order.id for order in unused(session)] == [1, 2, 3]
        """
    pytester.makepyfile(shop=SHOP, conftest=CONFTEST, test_shop=tests)
    result = pytester.runpytest_subprocess("--dbguard", "--dbguard-report=json:report.json", *flags)
    report = json.loads((pytester.path / "report.json").read_text())
    assert {f["severity"] for f in report["findings"] if f["rule"] == "DBG107"} == {"note"}
    assert "new finding" not in result.stdout.str()
