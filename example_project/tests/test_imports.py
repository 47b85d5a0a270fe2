"""Imports."""

from __future__ import annotations

from shop.models import StockMovement, Tag
from shop.services import imports
from sqlalchemy import func, select


def test_suppliers(session):
    ids = imports.import_suppliers(session, [("Acme", "US"), ("Bolt", "LV"), ("Cosy", "SE")])
    assert len(set(ids)) == 3


def test_movements(session):
    before = session.scalar(select(func.count()).select_from(StockMovement))
    imports.import_movements(session, [(1, 5), (2, 5), (3, 5)])
    assert session.scalar(select(func.count()).select_from(StockMovement)) == before + 3


def test_tags(session):
    assert imports.import_tags(session, ["sale", "rare", "new", "used"]) == 2
    assert session.scalar(select(func.count()).select_from(Tag)) == 5
