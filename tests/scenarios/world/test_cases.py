"""unittest.TestCase classes and subtests."""

from __future__ import annotations

import unittest

import pytest
from shop import calls
from shop.models import Order, Product
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session


@pytest.fixture
def given(request, engine, shop):
    """Give a case its database and a session."""
    request.instance.engine = engine
    with Session(engine) as session:
        request.instance.session = session
        yield


@pytest.mark.usefixtures("given")
class LoopingCase(unittest.TestCase):
    """A case whose setUp() and tearDown() loop: they are the test's arrangement, as fixtures are."""

    def setUp(self) -> None:
        for pk in (1, 2, 3):
            self.session.execute(update(Product).where(Product.id == pk).values(stock=5))

    def tearDown(self) -> None:
        for _ in range(3):
            self.session.scalar(select(func.count()).select_from(Product))

    def test_amount_in_a_case(self) -> None:
        """setUp() and tearDown() loop, the test does not. # expect: none"""
        self.assertEqual(calls.amount(self.session), 12)


@pytest.mark.usefixtures("given")
class OrdersCase(unittest.TestCase):
    """A case whose setUp() asks for each test."""

    def setUp(self) -> None:
        self.expected = self.session.scalar(select(func.count()).select_from(Order))

    def test_lazy_in_a_unittest(self) -> None:
        """The test's own loop reads a relationship."""
        orders = self.session.scalars(select(Order)).all()  # origin: DBG101 Order.customer
        for order in orders:  # loop: DBG101 Order.customer
            self.assertTrue(order.customer.name)  # expect: DBG101 Order.customer

    def test_sizes_in_a_case(self) -> None:
        """Loaded collections. # expect: none"""
        self.assertEqual(calls.sizes(self.session), [3] * 12)

    def test_subtests_of_one_loop(self) -> None:
        """Two questions in one subtest are that subtest's loop; a subtest for each sku is none."""
        for stem in ("sku", "sku1"):
            with self.subTest(stem=stem):
                for number in (0, 1):  # loop: DBG103 product
                    self.assertGreater(calls.price(self.session, f"{stem}{number}"), 0)

    def test_a_subtest_for_each(self) -> None:
        """One question in each of three subtests. # expect: none"""
        for sku in ("sku1", "sku2", "sku3"):
            with self.subTest(sku=sku):
                self.assertGreater(calls.price(self.session, sku), 10)

    def test_asserted_twice(self) -> None:
        """The test asks again what the application changed. # expect: none"""
        calls.log(self.session, "changed")
        self.assertEqual(calls.amount(self.session), 12)
        self.assertEqual(self.expected, 12)


class IsolatedCase(unittest.IsolatedAsyncioTestCase):
    """An asyncio case without any database."""

    async def test_without_database(self) -> None:
        """Nothing is asked. # expect: none"""
        self.assertEqual(await self.nothing(), None)

    async def nothing(self) -> None:
        return None
