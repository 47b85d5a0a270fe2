"""A small application's models and data, and a way to run code against it as an application would run it."""

from __future__ import annotations

import asyncio
import linecache
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy
import sqlalchemy.orm
from sqlalchemy import Column, Engine, ForeignKey, Table, create_engine
from sqlalchemy.ext.associationproxy import association_proxy
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    DeclarativeBase,
    DynamicMapped,
    Mapped,
    Session,
    WriteOnlyMapped,
    mapped_column,
    relationship,
)
from sqlalchemy.pool import StaticPool

from pytest_dbguard.analysis.judge import ActiveRule, Judge, active_rules
from pytest_dbguard.analysis.observations import observations
from pytest_dbguard.analysis.observed import Observed, process_knowledge
from pytest_dbguard.analysis.plan_sources import PlanSources
from pytest_dbguard.analysis.plans import PlanJudge, PlanOutcome
from pytest_dbguard.analysis.pool import FindingPool
from pytest_dbguard.analysis.schema_watch import SchemaReader
from pytest_dbguard.core.findings import Finding, Severity
from pytest_dbguard.core.verdict import Fault
from pytest_dbguard.recording.listeners import Listeners
from pytest_dbguard.recording.ownership import Ownership
from pytest_dbguard.recording.recorder import Recorder
from pytest_dbguard.recording.scopes import Scope

EXPECTATION = re.compile(r"# (expect|origin|loop): ([^#\n]+)")


class Base(DeclarativeBase):
    pass


order_labels = Table(
    "order_labels",
    Base.metadata,
    Column("order_id", ForeignKey("orders.id"), primary_key=True),
    Column("label_id", ForeignKey("label.id"), primary_key=True),
)


class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list[Order]] = relationship(back_populates="customer")
    profile: Mapped[Profile | None] = relationship(back_populates="customer")
    visits: WriteOnlyMapped[Visit] = relationship()
    notes: DynamicMapped[Note] = relationship()

    @hybrid_property
    def order_total(self) -> int:
        return sum(order.total for order in self.orders)


class Profile(Base):
    __tablename__ = "profile"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    bio: Mapped[str] = mapped_column(default="bio")
    customer: Mapped[Customer] = relationship(back_populates="profile")


class Visit(Base):
    __tablename__ = "visit"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))


class Note(Base):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    text: Mapped[str] = mapped_column(default="note")


class Label(Base):
    __tablename__ = "label"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    total: Mapped[int] = mapped_column(default=1)
    customer: Mapped[Customer] = relationship(back_populates="orders")
    items: Mapped[list[Item]] = relationship(back_populates="order", cascade="all, delete-orphan")
    labels: Mapped[list[Label]] = relationship(secondary=order_labels)
    label_names = association_proxy("labels", "name")


class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str]


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"))
    order: Mapped[Order] = relationship(back_populates="items")
    product: Mapped[Product | None] = relationship()


class Category(Base):
    __tablename__ = "category"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    parent: Mapped[Category | None] = relationship(back_populates="children", remote_side=[id])
    children: Mapped[list[Category]] = relationship(back_populates="parent")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="company")


class Employee(Base):
    __tablename__ = "employee"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    company: Mapped[Company] = relationship()
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "employee"}


class Engineer(Employee):
    __tablename__ = "engineer"
    id: Mapped[int] = mapped_column(ForeignKey("employee.id"), primary_key=True)
    language: Mapped[str] = mapped_column(default="python")
    __mapper_args__ = {"polymorphic_identity": "engineer"}


class Manager(Employee):
    __mapper_args__ = {"polymorphic_identity": "manager"}


class LogEntry(Base):
    __tablename__ = "log_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    message: Mapped[str] = mapped_column(default="")


class Job(Base):
    __tablename__ = "job"
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default="waiting")


def empty(engine: Engine) -> None:
    """Remove all rows of a PostgreSQL database and start its keys at 1 again."""
    names = ", ".join(f'"{name}"' for name in Base.metadata.tables)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")


def fill(engine: Engine) -> None:
    """Put 4 customers with 2 orders of 2 items each, a tree, employees and jobs into empty tables."""
    with Session(engine) as session:
        products = [Product(sku=f"sku{i}") for i in range(16)]
        labels = [Label(name=f"label{i}") for i in range(3)]
        session.add_all(products + labels)
        for number in range(4):
            customer = Customer(name=f"customer{number}", profile=Profile())
            for half in range(2):
                items = [Item(product=products[number * 4 + half * 2 + i]) for i in range(2)]
                customer.orders.append(Order(items=items, labels=list(labels)))
            session.add(customer)
        session.flush()
        session.add_all([Visit(customer_id=i) for i in range(1, 5)] + [Note(customer_id=i) for i in range(1, 5)])
        root = Category(name="root")
        root.children = [
            Category(name=f"c{i}", children=[Category(name=f"c{i}.{j}") for j in range(2)]) for i in range(2)
        ]
        session.add(root)
        session.add_all([kind(company=Company()) for kind in (Engineer, Manager, Engineer, Manager)])
        session.add_all([Job() for _ in range(4)])
        session.commit()


def sqlite_engine() -> Engine:
    """Return a filled in-memory database whose savepoints and rollbacks work."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Base.metadata.create_all(engine)
    fill(engine)
    return engine


@dataclass(frozen=True)
class Outcome:
    """What the rules said about a piece of code, and what the code's comments expect them to say."""

    findings: tuple[Finding, ...]
    faults: tuple[Fault, ...]
    expected: set[tuple[str, str, str, int]]

    @property
    def found(self) -> set[tuple[str, str, str, int]]:
        """The findings in the form of the expectations: (what, rule, subject, line)."""
        found = set()
        for finding in self.findings:
            for what, place in (("expect", finding.site), ("origin", finding.origin), ("loop", finding.loop)):
                if place is not None and any(e[0] == what and e[1] == finding.rule for e in self.expected):
                    found.add((what, finding.rule, finding.subject, place.line))
            if finding.site is None:
                found.add(("expect", finding.rule, finding.subject, 0))
            else:
                found.add(("expect", finding.rule, finding.subject, finding.site.line))
        return found


def run_as_application(
    code: str,
    engine: Engine,
    directory: Path,
    *,
    rules: dict[str, dict[str, Any]] | None = None,
    budget: int | None = None,
    plans: str | None = None,
    scale: dict[str, Any] | None = None,
) -> Outcome:
    """Run code in a file of its own, as the application's, and judge it.

    With `plans`, the code of a rule, statements are judged by their plans too: what that rule says, and what others
    say that is more than a note. The code finds the models, `sqlalchemy`'s and `sqlalchemy.orm`'s names, `engine`,
    `session` and `asyncio`. A function named `main` in it is called (or awaited) with nothing.
    """
    code = textwrap.dedent(code).lstrip("\n")
    path = directory / "application.py"
    path.write_text(code)
    linecache.checkcache(str(path))
    names: dict[str, Any] = {
        name: value
        for module in (sqlalchemy, sqlalchemy.orm)
        for name, value in vars(module).items()
        if not name.startswith("_")
    }
    names |= {mapper.class_.__name__: mapper.class_ for mapper in Base.registry.mappers}
    schemas = SchemaReader() if plans else None
    recorder = Recorder(Ownership(directory), schemas=schemas)
    listeners = Listeners(recorder)
    compiled = compile(code, str(path), "exec")
    scope = Scope("the test", "call", budget)
    listeners.attach()
    recorder.open(scope, compiled)
    try:
        with Session(engine) as session:
            names |= {"engine": engine, "session": session, "asyncio": asyncio, "__name__": "application"}
            exec(compiled, names)
            if "main" in names:
                result = names["main"]()
                if asyncio.iscoroutine(result):
                    asyncio.run(result)
    finally:
        recorder.close()
        listeners.detach()
    active = active_rules(tables=rules or {})
    judge = Judge(active)
    sources = PlanSources(directory, scale=scale or {})
    pool = FindingPool()
    for recording in scope.recordings():
        pool.add(judge.judge(recording))
    by_plans = _judged_by_plans(scope, schemas, recorder, active, sources) if schemas else PlanOutcome()
    pool.add(f for f in by_plans.findings if f.rule == plans or f.severity is not Severity.NOTE)
    for held in names.get("kept", ()):
        # what a program leaks on purpose would keep its locks on the tables
        held.close()
    faults = (*recorder.faults, *judge.faults, *by_plans.faults)
    return Outcome(pool.findings(), faults, set(_expectations(code)))


def _judged_by_plans(
    scope: Scope, schemas: SchemaReader, recorder: Recorder, rules: tuple[ActiveRule, ...], sources: PlanSources
) -> PlanOutcome:
    observed = Observed()
    observed.take(scope.name, observations(scope.recordings()))
    observed.learn(*process_knowledge(schemas, recorder.exemplars))
    return PlanJudge(rules, sources).judge(observed)


def _expectations(code: str) -> Iterator[tuple[str, str, str, int]]:
    for number, line in enumerate(code.splitlines(), 1):
        for what, text in EXPECTATION.findall(line):
            rule, subject = text.split()
            yield (what, rule, subject, number)
