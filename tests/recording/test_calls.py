"""What the ORM was asked for: origins, whole paths, and what leaves the process with an instance."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import pytest
from application import Category, Customer, Engineer, Item, Job, Label, Order
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, immediateload, joinedload, load_only, selectinload, subqueryload
from sqlalchemy.orm.interfaces import UserDefinedOption

from pytest_dbguard.recording.calls import CallKind, ColumnCause, OriginOption
from pytest_dbguard.recording.frames import Mark
from pytest_dbguard.recording.scopes import Scope

QUERY, LAZY, IMMEDIATE, COLUMN, EAGER = CallKind


def kinds(watch):
    return [None if statement.call is None else statement.call.kind for statement in watch.statements]


def names_of(path):
    return [prop.key for prop in path[1::2]]


@pytest.fixture
def session(engine, watch):
    with Session(engine) as session:
        yield session


def test_the_application_asks(session, watch):
    session.scalars(select(Customer)).all()
    session.get(Customer, 9)
    session.query(Customer).first()
    session.execute(select(Customer.name, Order.id).join(Order)).all()
    assert kinds(watch) == [QUERY] * 4
    assert [statement.call.mapper.class_ for statement in watch.statements] == [Customer] * 4
    assert all(statement.call.stack is statement.stack for statement in watch.statements)
    assert all(statement.call.statement is statement.text for statement in watch.statements)


def test_core_and_writes_are_no_calls(session, watch):
    session.execute(select(Customer.__table__))
    session.connection().exec_driver_sql("SELECT 1 FROM customer")
    session.add(Job())
    session.flush()
    assert [type(call).__name__ for call in kinds(watch)[1:]] == ["NoneType", "NoneType"]


def test_a_lazy_load_knows_its_origin(session, watch):
    first = session.scalars(select(Order).where(Order.id <= 2).order_by(Order.id)).all()
    second = session.scalars(select(Order).where(Order.id > 6).order_by(Order.id)).all()
    assert first[0].customer.name != second[0].customer.name
    origins = [statement.call for statement in watch.statements[:2]]
    loads = [statement.call for statement in watch.statements[2:]]
    assert [load.kind for load in loads] == [LAZY, LAZY]
    assert [load.origin for load in loads] == origins
    assert [load.is_guess for load in loads] == [False, False]
    assert [names_of(load.path) for load in loads] == [["customer"], ["customer"]]
    assert loads[0].parent != loads[1].parent
    assert loads[0].parent_class is Order


def test_a_path_is_whole_at_any_depth(session, watch):
    customer = session.get(Customer, 1)
    assert customer.orders[0].items[0].product.sku
    loads = [statement.call for statement in watch.statements[1:]]
    assert [names_of(load.path) for load in loads] == [["orders"], ["orders", "items"], ["orders", "items", "product"]]
    assert {load.origin for load in loads} == {watch.statements[0].call}


def test_a_path_goes_on_behind_eager_loads(session, watch):
    customers = session.scalars(select(Customer).options(selectinload(Customer.orders))).all()
    assert customers[0].orders[0].items
    assert kinds(watch) == [QUERY, EAGER, LAZY]
    load = watch.statements[2].call
    assert load.origin is watch.statements[0].call
    assert names_of(load.path) == ["orders", "items"]


def test_each_execution_is_an_origin_of_its_own(session, watch):
    stmt = select(Customer).where(Customer.id == 1)
    for _ in range(2):
        assert session.scalars(stmt).one().orders
        session.expunge_all()
    first, load, second, other = (statement.call for statement in watch.statements)
    assert load.origin is first
    assert other.origin is second is not first


def test_a_statement_is_not_changed(session, watch):
    stmt = select(Customer)
    before = stmt._generate_cache_key().key
    session.scalars(stmt).all()
    assert not any(isinstance(option, OriginOption) for option in stmt._with_options)
    assert stmt._generate_cache_key().key == before


def test_parents_are_counted_at_the_second_load(session, watch):
    orders = session.scalars(select(Order)).all()
    assert orders[0].items
    origin = watch.statements[0].call
    assert origin.parents is None
    assert orders[1].items
    assert origin.parents == {"Order": 8}


def test_eager_loads(session, watch):
    options = (selectinload(Customer.orders), subqueryload(Customer.profile), immediateload(Customer.notes))
    session.scalars(select(Customer).where(Customer.id == 1).options(*options[:2])).all()
    assert kinds(watch) == [QUERY, EAGER, EAGER]


def test_immediate_loads(session, watch):
    session.scalars(select(Order).where(Order.id == 1).options(immediateload(Order.items))).all()
    assert kinds(watch) == [QUERY, IMMEDIATE]


def test_joined_loads_are_part_of_the_query(session, watch):
    orders = session.scalars(select(Order).options(joinedload(Order.customer))).all()
    assert orders[0].customer.name
    assert kinds(watch) == [QUERY]


@pytest.mark.parametrize("make_stale", ["commit", "rollback", "expire_all"])
def test_expired_columns(session, watch, make_stale):
    customer = session.get(Customer, 1)
    getattr(session, make_stale)()
    assert customer.name
    load = watch.statements[1].call
    assert (load.kind, load.cause, load.parent_class) == (COLUMN, ColumnCause.EXPIRED, Customer)
    mark = {"commit": Mark.COMMIT, "rollback": Mark.ROLLBACK, "expire_all": Mark.EXPIRE}[make_stale]
    assert load.expired_at.marks & mark


def test_deferred_columns(session, watch):
    customer = session.scalars(select(Customer).options(load_only(Customer.id))).first()
    assert customer.name
    load = watch.statements[1].call
    assert (load.kind, load.cause, load.columns) == (COLUMN, ColumnCause.DEFERRED, ("name",))
    assert load.origin is watch.statements[0].call


def test_columns_of_a_subclass(session, watch):
    engineer = session.scalars(select(Engineer.__mapper__.inherits.class_)).first()
    assert engineer.language
    load = watch.statements[1].call
    assert (load.kind, load.cause, load.columns) == (COLUMN, ColumnCause.SUBCLASS, ("language",))


def test_refresh(session, watch):
    customer = session.get(Customer, 1)
    session.refresh(customer)
    session.refresh(customer, ["name"])
    assert [statement.call.cause for statement in watch.statements[1:]] == [ColumnCause.REFRESHED] * 2


def test_an_instance_that_no_query_loaded(session, watch):
    """What was added and flushed carries no origin: the latest select of its class is a guess."""
    customer = Customer(name="new")
    session.add(customer)
    session.flush()
    assert customer.orders == []
    assert watch.statements[1].call.origin is None
    session.get(Customer, 1)
    session.expire(customer, ["orders"])
    assert customer.orders == []
    load = watch.statements[-1].call
    assert (load.kind, load.is_guess) == (LAZY, True)
    assert load.origin.mapper.class_ is Customer


def test_instances_of_another_recording(engine, make_watch):
    """What an earlier recorder saw loaded is no origin of this one."""
    first = make_watch()
    first.start()
    with Session(engine) as session:
        customers = session.scalars(select(Customer)).all()
        first.stop()
        second = make_watch()
        second.start()
        assert len(customers[0].orders) == 2
    load = second.statements[0].call
    assert (load.kind, load.origin, load.is_guess) == (LAZY, None, True)
    assert second.recorder.faults == []


def test_an_origin_of_the_setup_is_known_in_the_call(engine, watch):
    with Session(engine) as session:
        customers = session.scalars(select(Customer)).all()
        origin = watch.statements[0].call
        call = Scope("the test", "call")
        watch.recorder.open(call)
        assert len(customers[0].orders) == 2
    assert call.recording().statements[0].call.origin is origin


async def test_async_lazy_loads(async_engine, watch):
    async with AsyncSession(async_engine) as session:
        orders = (await session.scalars(select(Order))).all()
        await session.run_sync(lambda _: [len(order.items) for order in orders])
        await session.refresh(orders[0], ["customer"])
    assert kinds(watch)[:9] == [QUERY] + [LAZY] * 8
    assert {statement.call.origin for statement in watch.statements[1:9]} == {watch.statements[0].call}


def test_trees(session, watch):
    root = session.scalars(select(Category).where(Category.parent_id.is_(None))).one()

    def walk(node):
        return 1 + sum(map(walk, node.children))

    assert walk(root) == 7
    paths = [names_of(statement.call.path) for statement in watch.statements[1:]]
    assert {name for path in paths for name in path} == {"children"}
    assert {statement.call.origin for statement in watch.statements[1:]} == {watch.statements[0].call}


def loaded(session):
    customer = session.scalars(select(Customer).where(Customer.id == 1)).one()
    assert customer.orders[0].items[0].product
    assert customer.orders[0].labels
    return customer


READ = """
import pickle, sys
from pathlib import Path

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "pytest_dbguard":
            raise ImportError("blocked")

sys.meta_path.insert(0, Blocked())
sys.modules.pop("pytest_dbguard", None)
sys.path.insert(0, sys.argv[1])
import models
customer = pickle.loads(Path(sys.argv[2]).read_bytes())
assert "pytest_dbguard" not in sys.modules
assert type(customer).__module__ == "models"
engine = models.create_engine("sqlite:///" + sys.argv[3])
with models.Session(engine) as session:
    merged = session.merge(customer, load=False)
    print(merged.name, len(merged.orders))
    session.add(customer) if customer not in session else None
"""

MODELS = """
from __future__ import annotations
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

class Base(DeclarativeBase): ...

class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list[Order]] = relationship()

class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
"""


def test_pickles_are_read_where_dbguard_is_not_installed(engine, watch, tmp_path, database_file, monkeypatch):
    (tmp_path / "models.py").write_text(MODELS)
    monkeypatch.syspath_prepend(tmp_path)
    import models

    with models.Session(engine) as session:
        customer = session.scalars(models.select(models.Customer)).first()
        (tmp_path / "bare.pickle").write_bytes(pickle.dumps(customer))
        assert len(customer.orders) == 2
        (tmp_path / "loaded.pickle").write_bytes(pickle.dumps(customer))
    sys.modules.pop("models")
    for name in ("bare.pickle", "loaded.pickle"):
        done = subprocess.run(
            [sys.executable, "-c", READ, str(tmp_path), str(tmp_path / name), str(database_file)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stdout == "customer0 2\n", done.stderr


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_hold_nothing_of_ours(session, watch, protocol):
    data = pickle.dumps(loaded(session), protocol)
    assert b"dbguard" not in data
    again = pickle.loads(data)
    assert [len(order.items) for order in again.orders[:1]] == [2]


def test_an_unpickled_instance_goes_on_loading(session, watch):
    again = pickle.loads(pickle.dumps(session.get(Customer, 1)))
    session.expunge_all()
    session.add(again)
    assert len(again.orders) == 2
    assert again.orders[0].items


def test_copies(session, watch):
    customer = loaded(session)
    twin = copy.deepcopy(customer)
    assert (twin.name, len(twin.orders)) == (customer.name, 2)
    assert copy.copy(customer).name == customer.name


def test_a_copied_option_is_a_plain_one():
    option = OriginOption(None, "dbguard_1")
    for other in (copy.deepcopy(option), copy.copy(option), pickle.loads(pickle.dumps(option))):
        assert type(other) is UserDefinedOption
        assert other.payload is None
        assert not other.propagate_to_loaders


def test_statements_can_be_copied_and_pickled_while_recording(session, watch):
    stmt = select(Item).options(selectinload(Item.order))
    result = session.execute(stmt)
    assert len(result.all()) == 16
    assert len(session.execute(copy.copy(stmt)).all()) == 16
    assert session.scalars(select(Label)).all()


def test_origins_are_known_after_a_pickle(session, watch):
    """The same lazy loads for an unpickled instance, compiled first and kept by the engine, hide no origins."""
    thawed = pickle.loads(pickle.dumps(session.get(Customer, 1)))
    session.expunge_all()
    session.add(thawed)
    assert len(thawed.orders) == 2
    session.expunge_all()
    before = watch.count
    assert [len(order.items) for order in session.get(Customer, 1).orders] == [2, 2]
    origin, *loads = (statement.call for statement in watch.statements[before:])
    assert [(load.origin, load.is_guess) for load in loads] == [(origin, False)] * 3


@pytest.mark.parametrize("option", [None, selectinload(Customer.orders), load_only(Customer.name)])
def test_origins_are_known_of_statements_that_were_sent_before(engine, make_watch, option):
    """What the engine compiled while nobody recorded, without our option, serves no recorded select."""
    statement = select(Customer) if option is None else select(Customer).options(option)

    def load():
        with Session(engine) as session:
            return [order.items for customer in session.scalars(statement) for order in customer.orders]

    load()
    watch = make_watch()
    watch.start()
    assert len(load()) == 8
    origin = watch.statements[0].call
    lazy = [statement.call for statement in watch.statements if statement.call.kind is LAZY]
    assert len(lazy) >= 8
    assert {(load.origin, load.is_guess) for load in lazy} == {(origin, False)}


def test_options_that_a_listener_of_the_application_adds_go_on(engine, make_watch):
    """They stand behind ours where it listens later, and are handed on to lazy loads as without us."""

    class Tenant(UserDefinedOption):
        propagate_to_loaders = True

    seen = []

    def listen(state):
        if state.is_relationship_load:
            seen.append([option.payload for option in state.user_defined_options if type(option) is Tenant])
        else:
            state.statement = state.statement.options(selectinload(Customer.orders), Tenant("mine"))

    def load():
        event.listen(Session, "do_orm_execute", listen)
        with Session(engine) as session:
            assert [order.items for customer in session.scalars(select(Customer)) for order in customer.orders]
        event.remove(Session, "do_orm_execute", listen)

    load()
    before = list(seen)
    seen.clear()
    make_watch().start()
    load()
    assert seen == before == [["mine"]] * 9
