"""In which lines models declare what findings about tables are about."""

from __future__ import annotations

import importlib
import sys

import pytest

from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.linting.model_sites import model_sites, site_of

MODELS = """\
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Stamped:
    made_at: Mapped[int] = mapped_column("made")


class Order(Stamped, Base):
    __tablename__ = "orders"
    __table_args__ = (
        Index("ix_orders_city", "city"),
        UniqueConstraint("no", name="uq_orders_number"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    city: Mapped[str] = mapped_column(String(40))
    number: Mapped[int] = mapped_column("no")


log = Table(
    "log", Base.metadata,
    Column("text", String),
)
def make():
    class Inner(Base):
        __tablename__ = "inner"
        id: Mapped[int] = mapped_column(primary_key=True)
    return Inner
Inner = make()
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    (root / "models_of_sites.py").write_text(MODELS)
    sys.path.insert(0, str(root))
    try:
        yield importlib.import_module("models_of_sites"), root
    finally:
        sys.path.remove(str(root))
        sys.modules.pop("models_of_sites", None)


@pytest.mark.parametrize("attribute", [None, "metadata"])
@pytest.mark.parametrize(
    ("subject", "line", "column"),
    [
        ("orders", 13, 1),
        ("orders.city", 20, 5),
        ("orders.no", 21, 5),
        ("orders.made", 10, 5),
        ("public.orders.city", 20, 5),
        ("orders(city, no)", 20, 5),
        ("ix_orders_city", 16, 9),
        ("uq_orders_number", 17, 9),
        ("orders.ix_orders_city", 16, 9),
        ("orders.unknown", 13, 1),
        ("log", 24, 7),
        ("log.text", 26, 5),
        ("inner.id", 31, 9),
    ],
)
def test_a_subject_has_a_line(models, attribute, subject, line, column):
    module, root = models
    base = module.Base if attribute is None else module.Base.metadata
    site = site_of(Finding("DBG801", "x", Severity.NOTE, subject, "..."), model_sites([base], root))
    assert (site.file, site.line, site.column) == ("models_of_sites.py", line, column)


def test_what_no_model_declares_has_none(models):
    module, root = models
    assert site_of(Finding("DBG801", "x", Severity.NOTE, "gone", "..."), model_sites([module.Base], root)) is None


def test_models_that_lie_elsewhere_have_none(models, tmp_path):
    assert model_sites([models[0].Base], tmp_path) == {}
