"""Reports: some of them ask the database too often, and no assertion sees it."""

from __future__ import annotations

from shop.services import reports


def test_revenue(session):
    assert reports.revenue_cents(session) == 4800


def test_revenue_by_product(session):
    assert reports.revenue_by_product(session) == {"P0": 200, "P1": 800, "P2": 1200, "P3": 1600, "P4": 1000}


def test_customer_totals(session):
    assert reports.customer_totals(session)["Customer 0"] == 600


def test_loyal_customers(session):
    assert len(reports.loyal_customers(session, 2)) == 4


def test_no_one_is_that_loyal(session):
    assert reports.loyal_customers(session, 3) == []


def test_stock_list(session):
    assert reports.stock_list(session)["P3"] == 7


def test_tag_list(session):
    assert reports.tag_list(session)["P1"] == ["blue", "new"]


def test_categories(session):
    assert reports.category_names(session)[:3] == ["All", "Books", "New Books"]


def test_order_pages(session):
    assert [len(page) for page in reports.order_pages(session, 3)] == [3, 3, 2]


def test_compare(session):
    assert reports.compare(session, "R30", "R10") == "Customer 1"
