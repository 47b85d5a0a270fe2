"""Background jobs."""

from __future__ import annotations

from datetime import date

from shop.jobs import nightly, worker
from shop.models import Invoice, Order, Task
from sqlalchemy import select


def test_bill(session):
    assert nightly.bill(session, date(2026, 2, 1)) == 8
    assert {invoice.total_cents for invoice in session.scalars(select(Invoice))} == {300, 500, 700, 900}


def test_billed_once(session):
    nightly.bill(session, date(2026, 2, 1))
    assert nightly.bill(session, date(2026, 2, 2)) == 0


def test_count_shelf(session):
    assert nightly.count_shelf(session) == {"P0": 10, "P1": 9, "P2": 8, "P3": 7, "P4": 6, "P5": 5}


def test_correct_shelf(session):
    nightly.correct_shelf(session, {1: -1, 2: 2, 3: -3})
    assert nightly.count_shelf(session)["P2"] == 5


def test_ship_all(session):
    nightly.ship_all(session, ["R00", "R01", "R10"])
    references = session.scalars(select(Order.reference)).all()
    assert len([reference for reference in references if reference.startswith("S")]) == 3


def test_worker(session):
    handled = []
    assert worker.work(session, lambda task: handled.append(task.payload)) == 3
    assert handled == ["0", "1", "2"]


def test_idle(session):
    worker.work(session, lambda task: None)
    assert worker.wait_until_idle(session)


def test_not_idle(session):
    assert session.scalars(select(Task)).first() is not None
    assert not worker.wait_until_idle(session, attempts=3)
