"""Plans in a run: statements of tests on ten rows are judged as production would plan them."""

from __future__ import annotations

import json

import pytest

WORKERS = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "xdist"])

SHOP = """
from sqlalchemy import ForeignKey, String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(80), unique=True)


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    city: Mapped[str] = mapped_column(String(40){city})


def in_city(session, city):
    return session.scalars(select(Order).where(Order.city == city)).all()


def of_customer(session, customer_id):
    return session.scalars(select(Order).where(Order.customer_id == customer_id)).all()


def by_email(session, email):
    return session.scalars(select(Customer).where(Customer.email == email)).one()
"""

TESTS = """
import pytest
from shop import Base, Customer, Order, by_email, in_city, of_customer
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool


@pytest.fixture
def session():
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Customer(id=1, email="secret@example.com"))
        session.flush()
        session.add_all([Order(customer_id=1, city="secret-riga") for _ in range(3)])
        session.commit()
        yield session


def test_city(session):
    assert len(in_city(session, "secret-riga")) == 3


def test_city_again(session):
    assert in_city(session, "secret-oslo") == []


def test_customer(session):
    assert len(of_customer(session, 1)) == 3


def test_email(session):
    assert by_email(session, "secret@example.com").id == 1
"""
INDEXED = ", index=True"
MARK = 'pytestmark = pytest.mark.dbguard(ignore="DBG201", reason="few orders")'


@pytest.fixture
def shop(project):
    """A project in which one query has no index."""
    write(project)
    project.write("test_shop.py", TESTS)
    return project


def write(project, city=""):
    project.write("shop.py", SHOP.replace("{city}", city))


def configure(project, text):
    base = '[tool.pytest.ini_options]\naddopts = "-p no:cacheprovider -p no:asyncio"\n'
    project.write("pyproject.toml", base + text)


def of_plans(findings):
    return [(f["rule"], f["subject"], f["site"]["line"], f["tests"]) for f in findings if f["severity"] != "note"]


@WORKERS
def test_a_missing_index_fails_the_run_at_its_line(shop, workers):
    (found,) = [f for f in shop.findings(*workers) if f["severity"] != "note"]
    assert (found["rule"], found["subject"]) == ("DBG201", "orders.city")
    assert (found["site"]["file"], found["site"]["function"]) == ("shop.py", "in_city")
    assert found["tests"] == ["test_shop.py::test_city", "test_shop.py::test_city_again"]
    assert found["basis"] == "modelled at 100,000 rows (default)"
    codes = {remedy["kind"]: remedy["code"] for remedy in found["remedies"]}
    assert codes["sqlalchemy"] == 'Index("ix_orders_city", "city")'
    assert codes["alembic"] == 'op.create_index("ix_orders_city", "orders", ["city"])'
    assert codes["sql"] == "CREATE INDEX ix_orders_city ON orders (city);"


def test_what_it_prints(shop):
    result = shop.run("--dbguard")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["error[[]DBG201[]] missing-index: *", "*CREATE INDEX ix_orders_city ON orders (city)*"]
    )
    assert "secret" not in result.stdout.str()


def test_nothing_is_said_where_there_is_an_index(shop):
    write(shop, INDEXED)
    assert of_plans(shop.findings()) == []


def test_reports_of_workers_are_those_of_one_process(shop):
    shop.run("--dbguard", "--dbguard-report=json:one.json")
    shop.run("--dbguard", "--dbguard-report=json:two.json", "-n2")
    one, two = (json.loads((shop.path / name).read_text()) for name in ("one.json", "two.json"))
    assert one["findings"] == two["findings"]


def test_declared_sizes(shop):
    configure(shop, '[tool.dbguard.scale]\norders = "10m"\n')
    (found,) = [f for f in shop.findings() if f["rule"] == "DBG201"]
    assert found["basis"] == "modelled at 10,000,000 rows (declared)"


def test_a_small_table_needs_no_index(shop):
    configure(shop, "[tool.dbguard.scale]\norders = 200\n")
    assert of_plans(shop.findings()) == []


def test_without_a_lab_findings_are_static(shop):
    (found,) = [f for f in shop.findings("--dbguard-lab=off") if f["rule"] == "DBG201"]
    assert found["basis"] == "static (the lab is switched off)"


def test_wrong_sizes_are_told_before_any_test(shop):
    configure(shop, '[tool.dbguard.scale]\norders = "many"\n')
    result = shop.run("--dbguard")
    assert result.ret == 4
    assert "orders" in result.stderr.str() + result.stdout.str()
    assert "test_shop" not in result.stdout.str()


def test_a_file_that_cannot_be_used_is_told_before_any_test(shop):
    shop.write("dbguard-stats.json", '{"format": 99}')
    result = shop.run("--dbguard")
    assert result.ret == 4
    assert "dbguard-stats.json: only format 1 is supported" in result.stderr.str()


def test_a_missing_file_of_statistics_is_told_before_any_test(shop):
    result = shop.run("--dbguard", "--dbguard-statistics=gone.json")
    assert result.ret == 4
    assert "gone.json" in result.stderr.str() + result.stdout.str()


@pytest.mark.parametrize(
    "change",
    [
        ("shop.py", "Order.city == city)).all()", "Order.city == city)).all()  # dbguard: ignore[DBG201] few orders"),
        (
            "test_shop.py",
            "import pytest\n",
            'import pytest\npytestmark = pytest.mark.dbguard(ignore="DBG201", reason="x")\n',
        ),
    ],
    ids=["comment", "marker"],
)
def test_ignores(shop, change):
    file, before, after = change
    text = (shop.path / file).read_text()
    assert before in text
    shop.write(file, text.replace(before, after, 1))
    assert of_plans(shop.findings()) == []


def test_an_ignored_subject(shop):
    assert of_plans(shop.findings("--dbguard-ignore=DBG201:orders.city")) == []


def test_a_rule_that_is_left_out_costs_nothing(shop):
    assert of_plans(shop.findings("--dbguard-select=DBG1")) == []
    report = json.loads((shop.path / "report.json").read_text())
    assert report["planning"] is None


def test_the_baseline_accepts_it(shop):
    assert shop.run("--dbguard", "--dbguard-update-baseline").ret == 0
    assert shop.run("--dbguard").ret == 0


@WORKERS
def test_an_index_that_goes_is_a_regression(shop, workers):
    write(shop, INDEXED)
    assert shop.run("--dbguard", "--dbguard-update-baseline", *workers).ret == 0
    text = (shop.path / "dbguard-baseline.json").read_text()
    assert "secret" not in text
    write(shop)
    (found,) = [f for f in shop.findings(*workers) if f["severity"] != "note"]
    assert found["rule"] == "DBG903"
    assert found["site"]["function"] == "in_city"
    marks = {line["mark"] for line in found["plan"]}
    assert {"removed", "added"} <= marks


def test_what_the_baseline_knows_of_an_index_stays_known(shop):
    assert shop.run("--dbguard", "--dbguard-update-baseline").ret == 0
    known = [f for f in shop.findings() if f["rule"] == "DBG201"]
    assert [f["status"] for f in known] == ["known"]


def test_production_statistics_prove_it(shop):
    configure(shop, "")
    shop.write("make_stats.py", MAKE_STATS)
    assert shop.pytester.runpython("make_stats.py").ret == 0
    (found,) = [f for f in shop.findings() if f["rule"] == "DBG201"]
    assert found["basis"].startswith("proven (")


MAKE_STATS = """
from pathlib import Path

from pytest_dbguard.planning.statistics.file import write_statistics
from pytest_dbguard.planning.statistics.model import Origin, Statistics, TableStatistics

tables = tuple(TableStatistics("", name, 12_400_000.0, origin=Origin.PRODUCTION) for name in ("customers", "orders"))
statistics = Statistics(tables, Origin.PRODUCTION, "dbguard-stats.json", "2026-11-01", "sqlite", "3.46.0")
write_statistics(Path("dbguard-stats.json"), statistics)
"""


def test_asynchronous_engines(shop):
    shop.write("asynchronous.py", ASYNC)
    shop.write("test_shop.py", ASYNC_TESTS)
    assert [(rule, subject) for rule, subject, *_ in of_plans(shop.findings())] == [("DBG201", "orders.city")]


ASYNC = """
from shop import Order
from sqlalchemy import select


async def in_city(session, city):
    return (await session.scalars(select(Order).where(Order.city == city))).all()
"""
ASYNC_TESTS = """
import asyncio

from asynchronous import in_city
from shop import Base
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


def test_city():
    async def main():
        engine = create_async_engine("sqlite+aiosqlite://")
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with AsyncSession(engine) as session:
            assert await in_city(session, "x") == []
        await engine.dispose()

    asyncio.run(main())
"""


POSTGRES_TESTS = """
import pytest
from shop import Base, in_city


@pytest.fixture
def dbguard_metadata():
    return Base.metadata


def test_city(dbguard_session):
    assert in_city(dbguard_session, "x") == []
"""


@WORKERS
def test_the_server_of_the_tests_makes_the_lab(shop, workers):
    shop.write("test_shop.py", POSTGRES_TESTS.replace("@pytest.fixture", '@pytest.fixture(scope="session")'))
    found = [f for f in shop.findings("--dbguard-database=postgres-embedded", *workers) if f["rule"] == "DBG201"]
    assert [f["subject"] for f in found] == ["orders.city"]
    assert any("Seq Scan on orders" in line["text"] for line in found[0]["plan"])
    planning = json.loads((shop.path / "report.json").read_text())["planning"]
    assert "forged" in planning["labs"][0]
