"""A shop's models, and statements of all kinds that SQLAlchemy makes of them."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    and_,
    case,
    cast,
    delete,
    exists,
    extract,
    func,
    insert,
    lateral,
    literal,
    not_,
    or_,
    select,
    text,
    true,
    tuple_,
    union,
    union_all,
    update,
    values,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    aliased,
    contains_eager,
    joinedload,
    mapped_column,
    relationship,
    with_polymorphic,
)


class Base(DeclarativeBase):
    pass


order_tags = Table(
    "order_tags",
    Base.metadata,
    Column("order_id", ForeignKey("orders.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(200))
    name: Mapped[str]
    city: Mapped[str | None]
    is_active: Mapped[bool]
    created_at: Mapped[datetime.datetime]
    orders: Mapped[list[Order]] = relationship(back_populates="customer")

    @hybrid_property
    def label(self) -> str:
        return self.name + self.email

    @hybrid_property
    def lowered(self) -> str:
        return self.email.lower()

    @lowered.inplace.expression
    @classmethod
    def _lowered(cls) -> Any:
        return func.lower(cls.email)


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    status: Mapped[str] = mapped_column(String(20))
    total: Mapped[int]
    placed_at: Mapped[datetime.datetime]
    deleted_at: Mapped[datetime.datetime | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    customer: Mapped[Customer] = relationship(back_populates="orders")
    items: Mapped[list[Item]] = relationship(back_populates="order")
    tags: Mapped[list[Tag]] = relationship(secondary=order_tags)


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    sku: Mapped[str]
    quantity: Mapped[int]
    order: Mapped[Order] = relationship(back_populates="items")


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Employee(Base):
    __tablename__ = "employees"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    boss_id: Mapped[int | None] = mapped_column(ForeignKey("employees.id"))
    boss: Mapped[Employee | None] = relationship(remote_side=[id])
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "employee"}


class Manager(Employee):
    __tablename__ = "managers"
    id: Mapped[int] = mapped_column(ForeignKey("employees.id"), primary_key=True)
    budget: Mapped[int]
    __mapper_args__ = {"polymorphic_identity": "manager"}


class Vehicle(Base):
    __tablename__ = "vehicles"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    plate: Mapped[str]
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "vehicle"}


class Car(Vehicle):
    doors: Mapped[int | None]
    __mapper_args__ = {"polymorphic_identity": "car"}


class Truck(Vehicle):
    load: Mapped[int | None]
    __mapper_args__ = {"polymorphic_identity": "truck"}


COLUMNS = {table.name: tuple(column.name for column in table.columns) for table in Base.metadata.sorted_tables}
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def _pagination() -> Any:
    return (
        select(Order).options(joinedload(Order.items)).where(Order.status == "new").order_by(Order.placed_at).limit(10)
    )


def _ranked() -> Any:
    number = func.row_number().over(partition_by=Order.customer_id, order_by=Order.placed_at.desc()).label("n")
    ranked = select(Order.id, Order.customer_id, number).subquery()
    return select(ranked.c.id).where(ranked.c.n <= 3, ranked.c.customer_id == 7)


def _tree() -> Any:
    tree = select(Employee.id, Employee.boss_id).where(Employee.id == 1).cte("tree", recursive=True)
    staff = aliased(Employee)
    return select(tree.union_all(select(staff.id, staff.boss_id).join(tree, staff.boss_id == tree.c.id)))


def _lateral() -> Any:
    last = lateral(
        select(Order.total).where(Order.customer_id == Customer.id).order_by(Order.placed_at.desc()).limit(1), "last"
    )
    return select(Customer.name, last.c.total).join(last, true())


def _totals() -> Any:
    totals = select(Order.customer_id, func.sum(Order.total).label("sum")).group_by(Order.customer_id).subquery()
    return select(Customer.name, totals.c.sum).join(totals, totals.c.customer_id == Customer.id).where(totals.c.sum > 5)


def _cte() -> Any:
    recent = select(Order.id, Order.customer_id).where(Order.placed_at > NOW).cte("recent")
    return select(Customer).join(recent, recent.c.customer_id == Customer.id).where(recent.c.id == 3)


def _cte_twice() -> Any:
    recent = select(Order.id, Order.customer_id).where(Order.placed_at > NOW).cte("recent")
    other = recent.alias()
    return select(recent.c.id).join(other, recent.c.customer_id == other.c.customer_id).where(recent.c.id == 3)


def _scalar() -> Any:
    count = select(func.count(Order.id)).where(Order.customer_id == Customer.id).scalar_subquery()
    return select(Customer.id, count.label("n")).where(count > 3).order_by(Customer.name)


def _self_join() -> Any:
    boss = aliased(Employee, name="boss")
    return select(Employee.name).join(boss, Employee.boss_id == boss.id).where(boss.name == "x")


def _both_kinds() -> Any:
    everyone = with_polymorphic(Employee, [Manager])
    return select(everyone).where(everyone.Manager.budget > 5)


def _union() -> Any:
    both = union_all(select(Customer.id, Customer.name), select(Tag.id, Tag.name)).subquery("both")
    return select(both).where(both.c.name == "x")


def _bulk_values() -> Any:
    new = values(Column("id", Integer), Column("name", String), name="new").data([(1, "a"), (2, "b")])
    return select(Customer).join(new, new.c.id == Customer.id)


def _returned() -> Any:
    gone = delete(Order).where(Order.status == "old").returning(Order.customer_id).cte("gone")
    return select(Customer.id).join(gone, gone.c.customer_id == Customer.id)


def _copied() -> Any:
    return insert(Tag).from_select(["name"], select(Customer.name).where(Customer.city == "x"))


def _case() -> Any:
    kind = case((Order.total > 5, "big"), else_="small")
    return select(kind, func.count()).where(kind == "big").group_by(kind)


SELECTS = {
    "all": lambda: select(Customer),
    "get": lambda: select(Customer).where(Customer.id == 1),
    "equal": lambda: select(Customer).where(Customer.email == "x"),
    "filter_by": lambda: select(Order).filter_by(status="new", customer_id=3),
    "boolean": lambda: select(Customer).where(Customer.is_active),
    "not boolean": lambda: select(Customer).where(not_(Customer.is_active)),
    "boolean is": lambda: select(Customer).where(Customer.is_active.is_(True)),
    "boolean equal": lambda: select(Customer).where(Customer.is_active == True),  # noqa: E712
    "null": lambda: select(Order).where(Order.deleted_at.is_(None), Order.status == "new"),
    "not null": lambda: select(Order).where(Order.deleted_at.is_not(None)),
    "not equal": lambda: select(Order).where(Order.status != "new"),
    "in": lambda: select(Order).where(Order.status.in_(["a", "b", "c"])),
    "in one": lambda: select(Order).where(Order.status.in_(["a"])),
    "in many": lambda: select(Order).where(Order.id.in_(range(50)), Order.total > 5),
    "in none": lambda: select(Order).where(Order.status.in_([])),
    "not in": lambda: select(Order).where(Order.status.not_in(["a", "b"])),
    "in query": lambda: select(Order).where(Order.customer_id.in_(select(Customer.id).where(Customer.city == "x"))),
    "not in query": lambda: select(Order).where(Order.customer_id.not_in(select(Customer.id))),
    "between": lambda: select(Order).where(Order.placed_at.between(NOW, NOW)),
    "range": lambda: select(Order).where(Order.placed_at >= NOW, Order.placed_at < NOW, Order.total <= 5),
    "tuple": lambda: (
        select(Order).where(tuple_(Order.placed_at, Order.id) > (NOW, 5)).order_by(Order.placed_at, Order.id)
    ),
    "tuple in": lambda: select(Order).where(tuple_(Order.customer_id, Order.status).in_([(1, "a"), (2, "b")])),
    "like": lambda: select(Customer).where(Customer.name.like("a%")),
    "not like": lambda: select(Customer).where(Customer.name.not_like("a%")),
    "ilike": lambda: select(Customer).where(Customer.name.ilike("a%")),
    "startswith": lambda: select(Customer).where(Customer.name.startswith("a")),
    "startswith escaped": lambda: select(Customer).where(Customer.name.startswith("a%", autoescape=True)),
    "contains": lambda: select(Customer).where(Customer.name.contains("a")),
    "contains escaped": lambda: select(Customer).where(Customer.name.contains("a_", autoescape=True)),
    "endswith": lambda: select(Customer).where(Customer.name.endswith("a")),
    "icontains": lambda: select(Customer).where(Customer.name.icontains("a")),
    "istartswith": lambda: select(Customer).where(Customer.name.istartswith("a")),
    "lower": lambda: select(Customer).where(func.lower(Customer.email) == "x"),
    "lower both": lambda: select(Customer).where(func.lower(Customer.email) == func.lower("X")),
    "hybrid": lambda: select(Customer).where(Customer.lowered == "x"),
    "hybrid of two": lambda: select(Customer).where(Customer.label == "x"),
    "coalesce": lambda: select(Customer).where(func.coalesce(Customer.city, "") == "x"),
    "date": lambda: select(Order).where(func.date(Order.placed_at) == "2026-01-01"),
    "extract": lambda: select(Order).where(extract("year", Order.placed_at) == 2026),
    "cast": lambda: select(Order).where(cast(Order.id, String) == "5"),
    "cast value": lambda: select(Order).where(Order.id == cast("5", Integer)),
    "arithmetic": lambda: select(Order).where(Order.total * 2 > 10),
    "collate": lambda: select(Customer).where(Customer.name.collate("C") == "x"),
    "distinct from": lambda: select(Customer).where(Customer.city.is_distinct_from("x")),
    "not distinct from": lambda: select(Customer).where(Customer.city.is_not_distinct_from("x")),
    "or same": lambda: select(Order).where(or_(Order.status == "a", Order.status == "b")),
    "or other": lambda: select(Customer).where(or_(Customer.email == "a", Customer.name == "b")),
    "or null": lambda: select(Order).where(or_(Order.deleted_at.is_(None), Order.deleted_at > NOW)),
    "or like": lambda: select(Customer).where(or_(Customer.email == "a", Customer.name.contains("b"))),
    "or and": lambda: select(Order).where(
        or_(and_(Order.status == "a", Order.total > 5), and_(Order.status == "a", Order.customer_id == 3))
    ),
    "keyset": lambda: (
        select(Order)
        .where(or_(Order.placed_at < NOW, and_(Order.placed_at == NOW, Order.id < 5)))
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(20)
    ),
    "not or": lambda: select(Order).where(not_(or_(Order.status == "a", Order.total == 5))),
    "exists": lambda: select(Customer).where(exists().where(Order.customer_id == Customer.id, Order.total > 5)),
    "not exists": lambda: select(Customer).where(~exists().where(Order.customer_id == Customer.id)),
    "any": lambda: select(Customer).where(Customer.orders.any(Order.status == "new")),
    "has": lambda: select(Order).where(Order.customer.has(Customer.city == "x")),
    "contains object": lambda: select(Order).where(Order.tags.any(Tag.name == "x")),
    "order": lambda: select(Order).order_by(Order.placed_at.desc(), Order.id),
    "order mixed": lambda: select(Order).where(Order.status == "a").order_by(Order.total.desc().nulls_last(), Order.id),
    "order limit": lambda: select(Order).order_by(Order.placed_at.desc()).limit(10).offset(20),
    "order expression": lambda: select(Customer).order_by(func.lower(Customer.name)).limit(5),
    "order label": lambda: select(Customer.name.label("n")).order_by("n").limit(5),
    "order two tables": lambda: select(Order).join(Order.customer).order_by(Customer.name, Order.placed_at).limit(5),
    "limit alone": lambda: select(Order).limit(1),
    "fetch": lambda: select(Order).order_by(Order.total).fetch(5),
    "count": lambda: select(func.count()).select_from(Order).where(Order.status == "new"),
    "count query": lambda: select(func.count()).select_from(select(Order.id).where(Order.status == "new").subquery()),
    "max": lambda: select(func.max(Order.total)).where(Order.customer_id == 3),
    "group": lambda: select(Order.status, func.count()).group_by(Order.status).order_by(func.count().desc()).limit(3),
    "group having": lambda: select(Order.customer_id).group_by(Order.customer_id).having(func.sum(Order.total) > 5),
    "distinct": lambda: select(Order.status).distinct().order_by(Order.status).limit(5),
    "join": lambda: select(Order, Customer).join(Order.customer).where(Customer.city == "x"),
    "outer join": lambda: select(Customer, Order).outerjoin(Customer.orders).where(Customer.city == "x"),
    "outer join made inner": lambda: select(Customer, Order).outerjoin(Customer.orders).where(Order.status == "x"),
    "outer join anti": lambda: select(Customer).outerjoin(Customer.orders).where(Order.id.is_(None)),
    "join and": lambda: select(Customer).outerjoin(
        Order, and_(Order.customer_id == Customer.id, Order.status == "new")
    ),
    "comma join": lambda: select(Order.id, Customer.id).where(Order.customer_id == Customer.id, Customer.city == "x"),
    "cartesian": lambda: select(Order.id, Customer.id),
    "self join": _self_join,
    "many to many": lambda: select(Order).join(Order.tags).where(Tag.name == "x"),
    "contains_eager": lambda: select(Customer).join(Customer.orders).options(contains_eager(Customer.orders)),
    "joinedload": lambda: select(Order).options(joinedload(Order.customer), joinedload(Order.tags)),
    "joinedload inner": lambda: select(Order).options(joinedload(Order.customer, innerjoin=True)),
    "joinedload nested": lambda: select(Customer).options(joinedload(Customer.orders).joinedload(Order.items)),
    "pagination": _pagination,
    "joined inheritance": lambda: select(Manager).where(Manager.name == "x", Manager.budget > 5),
    "joined inheritance base": lambda: select(Employee).where(Employee.name == "x"),
    "with_polymorphic": _both_kinds,
    "single table": lambda: select(Car).where(Car.plate == "x"),
    "single table two": lambda: select(Vehicle.plate).where(Vehicle.kind.in_(["car", "truck"])),
    "ranked": _ranked,
    "tree": _tree,
    "totals": _totals,
    "cte": _cte,
    "cte twice": _cte_twice,
    "scalar": _scalar,
    "union": _union,
    "union top": lambda: (
        union(select(Customer.name).where(Customer.id == 1), select(Tag.name)).order_by("name").limit(5)
    ),
    "case": _case,
    "values": _bulk_values,
    "literal": lambda: select(Order).where(literal(5) < Order.total),
    "for update": lambda: select(Order).where(Order.id == 5).with_for_update(skip_locked=True),
    "text": lambda: text(
        "SELECT id FROM orders WHERE status = :status AND total::int > 5 -- :no\n LIMIT :n"
    ).bindparams(status="new", n=5),
}
"""By name: what makes a SELECT that all dialects compile; the text is of PostgreSQL."""

POSTGRES = {
    "json": lambda: select(Order).where(Order.data["kind"].as_string() == "x"),
    "json path": lambda: select(Order).where(Order.data[("a", "b")].as_integer() > 5),
    "lateral": _lateral,
    "returned": _returned,
    "any array": lambda: select(Order).where(Order.id == func.any([1, 2])),
    "date_trunc": lambda: select(func.date_trunc("day", Order.placed_at), func.count()).group_by(
        func.date_trunc("day", Order.placed_at)
    ),
    "interval": lambda: select(Order).where(Order.placed_at > func.now() - text("interval '1 day'")),
    "regexp": lambda: select(Customer).where(Customer.name.regexp_match("^a")),
    "trigram": lambda: select(Customer).where(Customer.name.op("%")("x")),
    "tsvector": lambda: select(Customer).where(
        func.to_tsvector("english", Customer.name).op("@@")(func.to_tsquery("x"))
    ),
    "match": lambda: select(Customer).where(Customer.name.match("x")),
    "update from": lambda: (
        update(Order).values(status="x").where(Order.customer_id == Customer.id, Customer.city == "x")
    ),
    "delete using": lambda: delete(Order).where(Order.customer_id == Customer.id, Customer.city == "x"),
}
WRITES = {
    "update": lambda: update(Order).where(Order.status == "x").values(total=5),
    "update all": lambda: update(Order).values(total=Order.total + 1),
    "update returning": lambda: update(Order).where(Order.id == 5).values(total=5).returning(Order.status),
    "update by query": lambda: (
        update(Order).where(Order.customer_id.in_(select(Customer.id).where(Customer.city == "x"))).values(total=5)
    ),
    "update set query": lambda: update(Customer).values(
        name=select(func.max(Order.status)).where(Order.customer_id == Customer.id).scalar_subquery()
    ),
    "delete": lambda: delete(Order).where(Order.placed_at < NOW),
    "delete by exists": lambda: delete(Order).where(~exists().where(Item.order_id == Order.id)),
    "insert": lambda: insert(Tag).values(name="x"),
    "insert many": lambda: insert(Tag).values([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]),
    "insert returning": lambda: insert(Tag).values(name="x").returning(Tag.id),
    "insert from": _copied,
}
