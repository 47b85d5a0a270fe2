"""Cold sessions: what others left is taken out when a call of the application first reads, and nothing else is."""

from __future__ import annotations

import pytest
from application import Category, Customer, Item, Job, Label, Order, Profile
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Query, Session, joinedload, selectinload
from sqlalchemy.orm.attributes import InstrumentedAttribute

from pytest_dbguard.recording.calls import CallKind
from pytest_dbguard.recording.cold import ColdSessions
from pytest_dbguard.recording.web import WebScopes

SHOP = """
def load(session):
    return session.scalars(select(Order).order_by(Order.id)).all()

def names(session):
    return [order.customer.name for order in load(session)]

def get(session, number):
    return session.get(Customer, number)

def query_get(session, number):
    return session.query(Customer).get(number)

def look(customer):
    return [order.total for order in customer.orders]

def look_at_all(customers):
    return [len(customer.orders) for customer in customers]

def look_at_items(item):
    return item.order.customer.name

def name_of(customer):
    return customer.name

def write(session, **values):
    session.add(Job(**values))
    session.commit()

def core(session):
    return session.execute(select(Order.__table__.c.id)).all()

def delete(session, instance):
    session.delete(instance)
    session.flush()

def add_and_load(session):
    mine = Label(name="mine")
    session.add(mine)
    load(session)
    load(session)
    return mine in session

async def names_async(session):
    orders = (await session.scalars(select(Order).order_by(Order.id))).all()
    return await session.run_sync(lambda _: [order.customer.name for order in orders])

async def get_async(session, number):
    return await session.get(Customer, number)

class Service:
    def __init__(self, session, customer):
        self.session = session
        self.by_id = {customer.id: customer}

    def total(self):
        load(self.session)
        return len(self.by_id[1].orders)
"""


@pytest.fixture
def shop(application):
    names = {each.__name__: each for each in (Customer, Order, Item, Job, Label)}
    return application(SHOP, select=select, **names)


@pytest.fixture
def cold(watch):
    sessions = ColdSessions(watch.recorder)
    with sessions.attached():
        yield sessions


@pytest.fixture
def session(engine, cold):
    with Session(engine) as session:
        yield session


def lazy(watch):
    """The relationships of lazy loads, in order."""
    loads = [statement.call for statement in watch.statements if statement.call is not None]
    return [call.path[-1].key if call.path else "" for call in loads if call.kind is CallKind.LAZY]


def everything(session):
    """What a test builds and keeps: all orders with all that belongs to them."""
    options = (joinedload(Order.customer), selectinload(Order.items))
    return session.scalars(select(Order).options(*options).order_by(Order.id)).all()


def test_a_test_that_has_all_hides_loads(engine, watch, shop):
    with Session(engine) as session:
        kept = everything(session)
        assert len(shop["names"](session)) == len(kept)
    assert lazy(watch) == []


def test_the_loads_come_out(session, watch, cold, shop):
    kept = everything(session)
    assert shop["names"](session) == [f"customer{number // 2}" for number in range(8)]
    assert lazy(watch) == ["customer"] * 4
    assert cold.detached >= 12  # items go with their orders
    assert not any(inspect(order).persistent for order in kept)


def test_a_call_keeps_what_it_loaded(session, watch, cold, shop):
    first, second = shop["load"](session), everything(session)
    assert all(inspect(order).persistent for order in first)
    assert [each is other for each, other in zip(first, second, strict=True)] == [True] * 8


def test_calls_of_one_place_are_one_caller(session, cold, shop):
    loaded = [shop["load"](session) for _ in range(2)]
    assert loaded[0] == loaded[1]
    assert cold.detached == 0


def test_calls_of_two_places_are_two_callers(session, cold, shop):
    first = shop["load"](session)
    second = shop["load"](session)
    assert not set(first) & set(second)
    assert cold.detached == 8


@pytest.mark.parametrize("name", ["get", "query_get"])
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.LegacyAPIWarning")
def test_get_asks_the_database(session, watch, cold, shop, name):
    mine = session.get(Customer, 1)
    before = watch.count
    assert shop[name](session, 1) is not mine
    assert watch.count == before + 1
    assert inspect(mine).detached


def test_what_the_application_is_handed_stays(session, watch, cold, shop):
    customer = session.scalars(select(Customer).options(selectinload(Customer.orders))).first()
    other = session.get(Customer, 2)
    assert shop["look"](customer) == [1, 1]
    assert inspect(customer).persistent
    assert inspect(other).detached
    assert lazy(watch) == ["orders"]


@pytest.mark.parametrize("collect", [list, tuple, set, frozenset])
def test_what_comes_in_collections_stays(session, watch, cold, shop, collect):
    customers = session.scalars(select(Customer).options(selectinload(Customer.orders))).all()
    assert shop["look_at_all"](collect(customers)) == [2] * 4
    assert lazy(watch) == ["orders"] * 4
    assert all(inspect(customer).persistent for customer in customers)


def test_what_self_holds_stays(session, watch, cold, shop):
    customer = session.scalars(select(Customer).options(selectinload(Customer.orders))).first()
    service = shop["Service"](session, customer)
    assert service.total() == 2
    assert inspect(customer).persistent
    assert "orders" in lazy(watch)


def test_columns_of_what_is_handed_are_not_loaded_again(session, watch, cold, shop):
    customer = session.get(Customer, 1)
    before = watch.count
    assert shop["name_of"](customer) == "customer0"
    assert (watch.count, cold.detached) == (before, 0)


def test_parents_of_what_is_handed_do_not_take_it_along(session, watch, cold, shop):
    """`cascade="all"` detaches children together with their parents."""
    order = session.scalars(select(Order).options(selectinload(Order.items)).where(Order.id == 1)).one()
    item = order.items[0]
    assert shop["look_at_items"](item) == "customer0"
    assert inspect(item).persistent
    assert inspect(order).persistent
    assert lazy(watch)[-1] == "customer"


def test_the_tests_own_reads_detach_nothing(session, watch, cold):
    orders = everything(session)
    assert session.get(Customer, 1) is orders[0].customer
    assert session.scalars(select(Order).order_by(Order.id)).all() == orders
    assert (cold.detached, lazy(watch)) == (0, [])


def test_writes_and_core_selects_of_tables_detach_nothing_by_themselves(session, cold, shop):
    kept = everything(session)
    shop["write"](session, state="new")
    assert cold.detached == 0
    assert all(inspect(order).persistent for order in kept)


def test_what_is_pending_is_flushed(session, cold, shop):
    customer = Customer(name="new", orders=[Order()], profile=Profile())
    session.add(customer)
    assert shop["names"](session)[-1] == "new"
    assert inspect(customer).detached


def test_changes_are_flushed(session, cold, shop):
    customer = session.get(Customer, 1)
    customer.name = "changed"
    assert shop["names"](session)[0] == "changed"
    assert inspect(customer).detached


@pytest.mark.parametrize("change", ["new", "dirty", "deleted"])
def test_without_autoflush_what_is_pending_is_left_alone(engine, cold, shop, change):
    with Session(engine, autoflush=False) as session:
        kept = everything(session)
        if change == "new":
            session.add(Label(name="new"))
        elif change == "dirty":
            kept[0].total = 5
        else:
            session.delete(kept[0])
        assert len(shop["names"](session)) == 8
        assert cold.detached == 0
        assert inspect(kept[0]).persistent
        session.rollback()


def test_without_autoflush_and_changes(engine, watch, cold, shop):
    with Session(engine, autoflush=False) as session:
        kept = everything(session)
        assert len(shop["names"](session)) == len(kept)
        assert lazy(watch) == ["customer"] * 4


def test_no_autoflush_blocks(session, cold, shop):
    kept = everything(session)
    kept[0].total = 9
    with session.no_autoflush:
        assert [order.total for order in shop["load"](session)][0] == 9
    assert cold.detached == 0
    assert kept[0] in session.dirty


def test_loads_of_a_flush_detach_nothing(session, watch, cold, shop):
    """A flush asks for the children whose key it empties; it may not be flushed again meanwhile."""
    root = session.scalars(select(Category).where(Category.parent_id.is_(None))).one()
    other = session.get(Customer, 1)
    shop["delete"](session, root)
    assert "children" in lazy(watch)
    assert inspect(other).persistent
    assert cold.detached == 0


def test_what_the_application_added_stays(session, cold, shop):
    kept = everything(session)
    assert shop["add_and_load"](session)
    assert kept


def test_each_session_by_itself(engine, session, cold, shop):
    kept = everything(session)
    with Session(engine) as other:
        assert shop["names"](other)
    assert cold.detached == 0
    assert all(inspect(order).persistent for order in kept)


async def test_async_sessions(async_engine, watch, cold, shop):
    async with AsyncSession(async_engine) as session:
        kept = await session.run_sync(everything)
        assert len(await shop["names_async"](session)) == 8
        assert lazy(watch) == ["customer"] * 4
        assert not any(inspect(order).persistent for order in kept)


async def test_async_get(async_engine, watch, cold, shop):
    async with AsyncSession(async_engine) as session:
        mine = await session.get(Customer, 1)
        assert await shop["get_async"](session, 1) is not mine
    assert cold.detached == 1


def test_a_request_without_a_frame_of_the_test(engine, watch, cold, application):
    """The session is the test's, handed over as a dependency; each request is a caller of its own."""
    session = Session(engine)
    code = """
        def add_routes(api):
            @api.get("/names")
            async def names():
                orders = session.scalars(select(Order).order_by(Order.id)).all()
                return [order.customer.name for order in orders]
    """
    api = FastAPI()
    application(code, "api.py", select=select, Order=Order, session=session)["add_routes"](api)
    web = WebScopes(watch.recorder)
    web.attach()
    try:
        kept = everything(session)
        with TestClient(api) as client:
            assert len(client.get("/names").json()) == 8
            detached = cold.detached
            assert len(client.get("/names").json()) == 8
    finally:
        web.detach()
        session.close()
    assert detached >= len(kept)
    assert not any(inspect(order).persistent for order in kept)
    first, second = watch.scope.nested
    assert [scope.count for scope in (first, second)] == [5, 5]


def listeners():
    names = ("transient_to_pending", "loaded_as_persistent", "do_orm_execute")
    return {name: len(list(getattr(Session.dispatch, name)._clslevel[Session])) for name in names}


def test_everything_is_put_back(engine, watch, shop):
    before = (Session.__dict__["get"], Query.__dict__["get"], listeners())
    sessions = ColdSessions(watch.recorder)
    with pytest.raises(ZeroDivisionError), sessions.attached(), Session(engine) as session:
        everything(session)
        assert type(Order.customer) is not InstrumentedAttribute
        assert (Session.__dict__["get"], Query.__dict__["get"], listeners()) != before
        assert shop["names"](session)
        1 / 0
    assert (Session.__dict__["get"], Query.__dict__["get"], listeners()) == before
    watch.stop()  # which tracks some of them too
    assert {type(each) for each in (Order.customer, Customer.orders, Item.product)} == {InstrumentedAttribute}


def test_afterwards_sessions_are_warm(engine, watch, shop):
    sessions = ColdSessions(watch.recorder)
    with Session(engine) as session:
        with sessions.attached():
            kept = everything(session)
        assert len(shop["names"](session)) == len(kept)
        assert shop["get"](session, 1) is kept[0].customer
    assert (sessions.detached, lazy(watch)) == (0, [])


def test_attached_again(engine, watch, shop):
    sessions = ColdSessions(watch.recorder)
    for number in (1, 2):
        with Session(engine) as session, sessions.attached():
            kept = everything(session)
            assert len(shop["names"](session)) == 8
            assert not any(inspect(order).persistent for order in kept)
        assert lazy(watch) == ["customer"] * 4 * number


def test_get_of_subclasses_and_arguments(session, cold, engine):
    class Own(Session):
        pass

    with Own(engine) as own:
        assert own.get(Order, 1, options=[joinedload(Order.customer)]).customer.name == "customer0"
        assert own.get_one(Customer, 1).id == 1
    assert Session.get.__doc__
    assert Session.get.__name__ == "get"


def test_a_fault_of_ours_does_not_reach_the_application(engine, make_watch, shop, monkeypatch):
    watch = make_watch()
    watch.start()
    sessions = ColdSessions(watch.recorder)

    def fail(*args):
        raise ValueError("ours")

    monkeypatch.setattr(sessions, "_detach_others", fail)
    with sessions.attached(), Session(engine) as session:
        assert len(shop["names"](session)) == 8
    assert [fault.where for fault in watch.recorder.faults] == ["detaching what a test left in a session"]
