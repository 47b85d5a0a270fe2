"""A small project with one planted defect, run by pytest in a process of its own."""

from __future__ import annotations

import json

import pytest

APPLICATION = """
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import StaticPool


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    customer: Mapped[Customer] = relationship()


def make_engine(orders=3):
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Order(customer=Customer(name=f"secret-{i}")) for i in range(orders)])
        session.commit()
    return engine


def names(session):
    orders = session.scalars(select(Order)).all()
    return [order.customer.name for order in orders]


def one_name(session, pk):
    return session.get(Order, pk).customer.name
"""

TESTS = """
import pytest
from shop import make_engine, names, one_name
from sqlalchemy.orm import Session


@pytest.fixture
def session():
    with Session(make_engine()) as session:
        yield session


def test_names(session):
    assert len(names(session)) == 3


def test_names_again(session):
    assert names(session)[0] == "secret-0"


def test_one(session):
    assert one_name(session, 1) == "secret-0"
"""


class Project:
    """Runs pytest on a project, with and without xdist, and reads its JSON report."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self.write("pyproject.toml", '[tool.pytest.ini_options]\naddopts = "-p no:cacheprovider -p no:asyncio"\n')

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *arguments: str) -> pytest.RunResult:
        return self.pytester.runpytest_subprocess(*arguments)

    def findings(self, *arguments: str) -> list[dict]:
        self.run("--dbguard", "--dbguard-report=json:report.json", *arguments)
        return json.loads((self.path / "report.json").read_text())["findings"]


@pytest.fixture
def project(pytester):
    """A project with one N+1 load in `shop.py`, shown by two tests."""
    project = Project(pytester)
    project.write("shop.py", APPLICATION)
    project.write("test_shop.py", TESTS)
    return project
