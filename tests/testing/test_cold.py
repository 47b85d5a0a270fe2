"""Tests that share their session with the application: a second run shows the loads that the first one hides."""

from __future__ import annotations

import json

import pytest

SHOP = """
from __future__ import annotations

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list[Order]] = relationship(back_populates="customer")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    customer: Mapped[Customer] = relationship(back_populates="orders")
    items: Mapped[list[Item]] = relationship()


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)


def names(session):
    return [order.customer.name for order in session.scalars(select(Order))]


def by_key(session, keys):
    return [session.get(Customer, key).name for key in keys]


def sizes(customer):
    return [len(order.items) for order in customer.orders]


def right(session):
    query = select(Order).order_by(Order.id)
    return [order.id for order in session.scalars(query)]


class Place:
    def __init__(self, session):
        self.session = session

    def order(self, customer):
        self.session.add(Order(customer=customer, items=[Item(), Item()]))
        self.session.flush()
        return [order.id for order in self.session.scalars(select(Order))]
"""
CONFTEST = """
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from shop import Base, Customer, Item, Order


@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


@pytest.fixture
def customers(session):
    made = [Customer(name=name, orders=[Order(items=[Item()]), Order(items=[Item()])]) for name in "abc"]
    session.add_all(made)
    session.commit()
    return made
"""
TESTS = """
import pytest
from shop import Place, by_key, names, right, sizes


def test_names(session, customers):
    assert names(session) == list("aabbcc")


def test_by_key(session, customers):
    assert by_key(session, [1, 2, 3]) == list("abc")


def test_handed(session, customers):
    assert sizes(customers[0]) == [1, 1]


def test_right(session, customers):
    assert right(session) == [1, 2, 3, 4, 5, 6]


def test_fails_without_its_objects(session, customers):
    assert len(Place(session).order(customers[0])) == 7
    assert len(customers[1].orders) == 2
"""


@pytest.fixture
def project(pytester):
    pytester.makepyfile(shop=SHOP, conftest=CONFTEST, test_shop=TESTS)
    return pytester


def run(project, *flags):
    result = project.runpytest_subprocess("--dbguard", "--dbguard-report=json:report.json", *flags)
    report = json.loads((project.path / "report.json").read_text())
    return result, {(f["rule"], f["subject"], f["tests"][0].rpartition("::")[2]): f for f in report["findings"]}


def test_without_it_nothing_shows(project):
    result, found = run(project)
    assert found == {}
    assert result.ret == 0


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_hidden_loads_show(project, workers):
    result, found = run(project, "--dbguard-cold", *workers)
    result.assert_outcomes(passed=5)
    assert set(found) == {
        ("DBG101", "Order.customer", "test_names"),
        ("DBG103", "customer", "test_by_key"),
        ("DBG101", "Order.items", "test_handed"),
    }
    names = found["DBG101", "Order.customer", "test_names"]
    assert (names["site"]["line"], names["origin"]["line"], names["count"]) == (33, 33, 3)
    assert all("shown with a cold session" in finding["evidence"] for finding in found.values())
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*note:*shown with a cold session", "*5 passed, 3 new findings*"])


def test_the_second_run_counts_nothing(project):
    totals = []
    for flags in ((), ("--dbguard-cold",)):
        run(project, *flags)
        report = json.loads((project.path / "report.json").read_text())
        totals.append((report["totals"]["tests"], report["totals"]["statements"]))
    assert totals[0] == totals[1]
    assert totals[0][0] == 5


def test_the_marker_says_which_tests(project):
    project.makepyfile(test_shop=TESTS.replace("def test_names", "@pytest.mark.dbguard(cold=True)\ndef test_names"))
    _, found = run(project)
    assert set(found) == {("DBG101", "Order.customer", "test_names")}
    project.makepyfile(test_shop=TESTS.replace("def test_names", "@pytest.mark.dbguard(cold=False)\ndef test_names"))
    _, found = run(project, "--dbguard-cold", "-k", "names")
    assert found == {}


def test_everything_is_put_back(project):
    project.makepyfile(
        test_shop=TESTS
        + """

def test_methods_are_sqlalchemys_own(session):
    from sqlalchemy.orm import Query, Session
    assert Session.get.__module__ == "sqlalchemy.orm.session"
    assert Session.get.__qualname__ == "Session.get"
    assert Query.get.__qualname__ == "Query.get"
"""
    )
    result, _ = run(project, "--dbguard-cold")
    result.assert_outcomes(passed=6)


def test_failed_and_skipped_tests_are_not_run_again(project):
    project.makepyfile(
        test_shop="""
import pytest
from pathlib import Path
from shop import names


def test_fails(session, customers):
    names(session)
    with Path("log").open("a") as log:
        log.write("failed ")
    raise AssertionError


def test_skips(session, customers):
    names(session)
    with Path("log").open("a") as log:
        log.write("skipped ")
    pytest.skip()


def test_passes(session, customers):
    names(session)
    with Path("log").open("a") as log:
        log.write("passed ")
"""
    )
    result, _ = run(project, "--dbguard-cold")
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    assert (project.path / "log").read_text() == "failed skipped passed passed "


OUTCOMES = """
import unittest
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from shop import Base, Customer, Order, names


def test_subtests(session, customers, subtests):
    assert names(session) == list("aabbcc")
    for customer in customers:
        with subtests.test(customer=customer.name):
            assert customer in session


def test_debugger(session, customers):
    names(session)
    assert customers[0] in session


def test_exit(session, customers):
    names(session)
    if customers[0] not in session:
        pytest.exit("the customer is gone", returncode=7)


class TestUnit(unittest.TestCase):
    def test_subtests(self):
        with Session(create_engine("sqlite://")) as session:
            Base.metadata.create_all(session.get_bind())
            customers = [Customer(name=name, orders=[Order()]) for name in "ab"]
            session.add_all(customers)
            session.flush()
            self.assertEqual(names(session), ["a", "b"])
            for customer in customers:
                with self.subTest(name=customer.name):
                    self.assertIn(customer, session)
"""


@pytest.mark.parametrize("flags", [(), ("--pdb",), ("-n2",)], ids=str)
def test_no_failure_of_a_second_run_is_seen(pytester, flags):
    pytester.makepyfile(shop=SHOP, conftest=CONFTEST, test_outcomes=OUTCOMES)
    flags = ("--dbguard", "--dbguard-fail-on=never", "-p", "no:cacheprovider", *flags)
    without = pytester.runpytest_subprocess(*flags)
    cold = pytester.runpytest_subprocess("--dbguard-cold", *flags)
    assert cold.ret == without.ret == 0
    assert cold.parseoutcomes() == without.parseoutcomes()
    assert "shown with a cold session" in cold.stdout.str()
    assert "PDB" not in cold.stdout.str()


SHARED = """
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from shop import Base, Customer, Order, names, sizes


@pytest.fixture(scope="module")
def shared():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


@pytest.fixture(scope="module")
def orders(shared):
    made = [Order(customer=Customer(name=name)) for name in "abc"]
    shared.add_all(made)
    shared.commit()
    return made


def test_names(shared, orders):
    assert names(shared) == list("abc")


def test_writes_what_other_tests_share(shared, orders):
    assert all(order in shared and order.customer in shared for order in orders)
    orders[0].customer.name = "z"
    assert names(shared) == list("zbc")
"""


def test_what_tests_share_stays_in_its_session(pytester):
    pytester.makepyfile(shop=SHOP, test_shared=SHARED)
    result = pytester.runpytest_subprocess("--dbguard", "--dbguard-cold", "--dbguard-fail-on=never")
    assert result.ret == 0
    result.assert_outcomes(passed=2)
