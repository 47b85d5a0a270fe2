"""Which relationships of a query are fetched and which are read, while a program behaves as without the tracking."""

from __future__ import annotations

import copy
import pickle
import threading

import pytest
from application import Customer, Employee, Engineer, Item, Order
from sqlalchemy import Column, ForeignKey, Integer, Table, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    contains_eager,
    immediateload,
    joinedload,
    mapped_column,
    registry,
    relationship,
    selectinload,
    subqueryload,
)
from sqlalchemy.orm.attributes import InstrumentedAttribute

from pytest_dbguard.recording.listeners import Listeners
from pytest_dbguard.recording.ownership import Ownership
from pytest_dbguard.recording.recorder import Recorder

RELATIONSHIPS = (Customer.orders, Customer.profile, Order.items, Order.customer, Order.labels, Item.product)


def name_of(prop):
    return f"{prop.parent.class_.__name__}.{prop.key}"


def fetched(watch):
    return {name_of(prop) for origin in watch.scope.eager for prop in origin.fetched or ()}


def read(watch):
    return {name_of(prop) for origin in watch.scope.eager for prop in origin.reads or ()}


def read_elsewhere(watch):
    return {name_of(prop) for prop in watch.scope.recording().reads_elsewhere}


def descriptors():
    return [(type(each), each.__class__) for each in RELATIONSHIPS]


@pytest.fixture
def session(engine, watch):
    with Session(engine) as session:
        yield session


@pytest.mark.parametrize("option", [joinedload, selectinload, subqueryload, immediateload])
@pytest.mark.parametrize("reads", [True, False])
def test_what_is_fetched_and_read(session, watch, option, reads):
    statement = select(Customer).options(option(Customer.orders), option(Customer.profile))
    for customer in session.scalars(statement).unique():
        assert len(customer.orders) == 2 if reads else customer.name
    assert fetched(watch) == {"Customer.orders", "Customer.profile"}
    assert read(watch) == ({"Customer.orders"} if reads else set())
    assert read_elsewhere(watch) == set()


def test_own_joins_are_fetched(session, watch):
    statement = select(Order).join(Order.customer).options(contains_eager(Order.customer))
    assert [order.total for order in session.scalars(statement)]
    assert (fetched(watch), read(watch)) == ({"Order.customer"}, set())


def test_nothing_is_fetched_where_no_row_comes(session, watch):
    statement = select(Customer).options(joinedload(Customer.orders), selectinload(Customer.profile))
    assert session.scalars(statement.where(Customer.id < 0)).unique().all() == []
    assert fetched(watch) == set()
    assert len(watch.scope.eager) == 1


@pytest.mark.parametrize("outer", [joinedload, selectinload, subqueryload, immediateload])
@pytest.mark.parametrize("inner", [joinedload, selectinload])
def test_what_is_fetched_at_depth(session, watch, outer, inner):
    if outer is immediateload and inner is joinedload:
        inner = subqueryload  # a lazy load of one parent takes its own joins along
    statement = select(Customer).options(inner_option(outer(Customer.orders), inner))
    customers = session.scalars(statement).unique().all()
    assert fetched(watch) == {"Customer.orders", "Order.items"}
    assert len(customers[0].orders[0].items) == 2
    assert read(watch) == {"Customer.orders", "Order.items"}
    assert read_elsewhere(watch) == set()


def inner_option(option, inner):
    return {joinedload: option.joinedload, selectinload: option.selectinload, subqueryload: option.subqueryload}[inner](
        Order.items
    )


def test_each_query_has_reads_of_its_own(session, watch):
    statement = select(Customer).options(selectinload(Customer.orders)).order_by(Customer.id)
    first = session.scalars(statement.where(Customer.id < 3)).all()
    second = session.scalars(statement.where(Customer.id >= 3)).all()
    assert [len(customer.orders) for customer in second] == [2, 2]
    one, other = watch.scope.eager
    assert (one.reads, {name_of(prop) for prop in other.reads}) == (None, {"Customer.orders"})
    assert len(next(iter(other.reads.values()))) == len(second)
    assert len(first[0].orders) == 2
    assert one.reads


def test_a_few_parents_are_kept(session, watch):
    assert all(item.order for item in session.scalars(select(Item).options(selectinload(Item.order))))
    (origin,) = watch.scope.eager
    (parents,) = origin.reads.values()
    assert len(parents) == 8


def test_reads_of_new_instances_are_nobodys(session, watch):
    customers = session.scalars(select(Customer).options(selectinload(Customer.orders))).all()
    assert customers
    assert Customer(name="new").orders == []
    assert (read(watch), read_elsewhere(watch)) == (set(), {"Customer.orders"})


def test_reads_of_lazy_loads_are_elsewhere(session, watch):
    loaded = session.scalars(select(Customer).where(Customer.id == 1).options(selectinload(Customer.orders))).one()
    lazily = session.scalars(select(Customer).where(Customer.id == 2)).one()
    assert (loaded.name, len(lazily.orders)) == ("customer0", 2)
    assert read(watch) == set()
    assert read_elsewhere(watch) == {"Customer.orders"}


def test_lazy_loads_to_one_are_tracked(session, watch):
    """Further parents find the target in the identity map: only their reads tell."""
    orders = session.scalars(select(Order).where(Order.customer_id == 1)).all()
    assert len({order.customer.name for order in orders}) == 1
    (parents,) = watch.statements[0].call.reads.values()
    assert (watch.count, len(parents)) == (2, 1)  # the read that made the load known was over
    assert all(order.customer for order in orders)
    assert len(parents) == 2


def test_what_the_orm_does_itself_is_no_read(session, watch):
    """Cascades, flushes, merges into the session and expiry."""
    statement = select(Order).options(selectinload(Order.items), selectinload(Order.customer))
    orders = session.scalars(statement).all()
    orders[0].total = 7
    session.flush()
    session.expire(orders[1])
    session.delete(orders[2])
    session.flush()
    session.rollback()
    assert read(watch) == set()


@pytest.mark.parametrize(
    "use",
    [
        lambda order: list(order.items),
        lambda order: order.items.append(Item()),
        lambda order: getattr(order, "items"),
        lambda order: [item for item in order.items if item],
        lambda order: len(vars(order)["items"]) + bool(order.items),
    ],
)
def test_ways_to_read(session, watch, use):
    order = session.scalars(select(Order).options(selectinload(Order.items))).first()
    use(order)
    assert read(watch) == {"Order.items"}


def test_association_proxies_read(session, watch):
    order = session.scalars(select(Order).options(selectinload(Order.labels))).first()
    assert sorted(order.label_names) == ["label0", "label1", "label2"]
    assert read(watch) == {"Order.labels"}


def test_hybrid_properties_read(session, watch):
    customer = session.scalars(select(Customer).options(selectinload(Customer.orders))).first()
    assert customer.order_total == 2
    assert read(watch) == {"Customer.orders"}


def test_pickling_reads_all(session, watch):
    statement = select(Customer).options(selectinload(Customer.orders), joinedload(Customer.profile))
    customer = session.scalars(statement).first()
    again = pickle.loads(pickle.dumps(customer))
    assert (len(again.orders), again.profile.bio) == (2, "bio")
    assert read(watch) == {"Customer.orders", "Customer.profile"}


def test_copies_are_no_reads(session, watch):
    customer = session.scalars(select(Customer).options(selectinload(Customer.orders))).first()
    assert copy.copy(customer).name == customer.name
    assert read(watch) == set()


def test_subclasses_of_the_parent(session, watch):
    statement = select(Engineer).options(joinedload(Engineer.company))
    assert [engineer.company.name for engineer in session.scalars(statement)] == ["company"] * 2
    assert (fetched(watch), read(watch)) == ({"Employee.company"}, {"Employee.company"})


def test_a_select_of_the_base_reads_by_subclasses(session, watch):
    statement = select(Employee).options(selectinload(Employee.company))
    assert [employee.company.name for employee in session.scalars(statement)] == ["company"] * 4
    assert (fetched(watch), read(watch)) == ({"Employee.company"}, {"Employee.company"})


async def test_async_sessions(async_engine, watch):
    async with AsyncSession(async_engine) as session:
        statement = select(Customer).options(selectinload(Customer.orders), joinedload(Customer.profile))
        customers = (await session.scalars(statement)).all()
    assert [len(customer.orders) for customer in customers] == [2] * 4
    assert fetched(watch) == {"Customer.orders", "Customer.profile"}
    assert read(watch) == {"Customer.orders"}


def test_reads_in_threads(session, watch):
    customers = session.scalars(select(Customer).options(selectinload(Customer.orders))).all()
    threads = [threading.Thread(target=lambda each=each: len(each.orders)) for each in customers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (parents,) = watch.scope.eager[0].reads.values()
    assert len(parents) == 4


def test_paused_scopes_track_nothing(session, watch):
    watch.scope.is_paused = True
    customers = session.scalars(select(Customer).options(selectinload(Customer.orders))).all()
    assert len(customers[0].orders) == 2
    assert (watch.scope.eager, type(Customer.orders)) == ([], InstrumentedAttribute)


def test_without_tracking_nothing_is_exchanged(engine, tmp_path, make_watch):
    watch = make_watch()
    watch.recorder = Recorder(Ownership(tmp_path), tracks_reads=False)
    watch.listeners = Listeners(watch.recorder)
    watch.start()
    with Session(engine) as session:
        statement = select(Customer).options(joinedload(Customer.orders), selectinload(Customer.profile))
        customers = session.scalars(statement).unique().all()
        assert len(customers[0].orders) == 2
        orders = session.scalars(select(Order)).all()
        assert orders[0].customer.name
    assert {type(each) for each in RELATIONSHIPS} == {InstrumentedAttribute}
    assert not inspect(Customer).class_manager.dispatch.load
    assert [(origin.reads, read_elsewhere(watch)) for origin in watch.scope.eager] == [(None, set())]


def test_stop_puts_everything_back(engine, make_watch):
    before = descriptors()
    dispatch = [inspect(each).class_manager.dispatch for each in (Customer, Order, Employee, Engineer)]
    watch = make_watch()
    watch.start()
    with Session(engine) as session:
        session.scalars(select(Customer).options(joinedload(Customer.orders).joinedload(Order.items))).unique().all()
        session.scalars(select(Employee).options(joinedload(Employee.company))).all()
    assert descriptors() != before
    assert all(list(each.load) for each in dispatch)
    watch.stop()
    assert descriptors() == before
    assert not any(list(each.load) for each in dispatch)
    with Session(engine) as session:
        session.scalars(select(Customer).options(joinedload(Customer.orders))).unique().all()
    assert len(watch.scope.eager) == 2


@pytest.mark.parametrize("first_to_stop", [0, 1])
def test_two_recorders(engine, make_watch, first_to_stop):
    """They track the same relationships, and either may stop first."""
    before = descriptors()
    watches = [make_watch(), make_watch()]
    for watch in watches:
        watch.start()
    statement = select(Customer).options(joinedload(Customer.orders), selectinload(Customer.profile))

    def load():
        with Session(engine) as session:
            return [len(customer.orders) for customer in session.scalars(statement).unique()]

    assert load() == [2] * 4
    assert [read(watch) for watch in watches] == [{"Customer.orders"}] * 2
    watches[first_to_stop].stop()
    other = watches[1 - first_to_stop]
    assert load() == [2] * 4
    assert [len(watch.scope.eager) for watch in (watches[first_to_stop], other)] == [1, 2]
    assert {name_of(prop) for prop in other.scope.eager[1].reads} == {"Customer.orders"}
    other.stop()
    assert descriptors() == before
    assert not inspect(Customer).class_manager.dispatch.load
    assert [watch.recorder.faults for watch in watches] == [[], []]


class Plain(DeclarativeBase):
    pass


class Dataclasses(MappedAsDataclass, DeclarativeBase):
    pass


class Shelf(Dataclasses):
    __tablename__ = "shelf"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    name: Mapped[str] = mapped_column(default="")
    boxes: Mapped[list[Box]] = relationship(default_factory=list, back_populates="shelf")


class Box(Dataclasses):
    __tablename__ = "box"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    shelf_id: Mapped[int | None] = mapped_column(ForeignKey("shelf.id"), init=False)
    shelf: Mapped[Shelf | None] = relationship(default=None, back_populates="boxes", repr=False)


class Desk:
    def __init__(self, drawers=()):
        self.drawers = list(drawers)


class Drawer:
    pass


imperative = registry()
desks = Table("desk", imperative.metadata, Column("id", Integer, primary_key=True))
drawers = Table(
    "drawer", imperative.metadata, Column("id", Integer, primary_key=True), Column("desk_id", ForeignKey("desk.id"))
)
imperative.map_imperatively(Desk, desks, properties={"drawers": relationship(Drawer)})
imperative.map_imperatively(Drawer, drawers)


def test_dataclasses(engine, watch):
    Dataclasses.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Shelf("top", boxes=[Box(), Box()]))
        session.commit()
    with Session(engine) as session:
        shelf = session.scalars(select(Shelf).options(joinedload(Shelf.boxes))).unique().one()
        assert (fetched(watch), read(watch)) == ({"Shelf.boxes"}, set())
        assert "boxes=[Box(" in repr(shelf)
        assert read(watch) == {"Shelf.boxes"}
        assert shelf == shelf
        assert Shelf("other").boxes == []


def test_classes_that_are_mapped_imperatively(engine, watch):
    imperative.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Desk([Drawer(), Drawer()]))
        session.commit()
        desk = session.scalars(select(Desk).options(selectinload(Desk.drawers))).one()
        assert (fetched(watch), read(watch)) == ({"Desk.drawers"}, set())
        assert len(desk.drawers) == 2
    assert read(watch) == {"Desk.drawers"}
