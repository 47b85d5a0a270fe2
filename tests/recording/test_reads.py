"""Reads of relationships are noticed, while descriptors, programs and errors stay as they are."""

from __future__ import annotations

import gc
import weakref

import pytest
from application import Company, Customer, Employee, Engineer, Item, Order, Profile
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session, joinedload, lazyload, selectinload
from sqlalchemy.orm.attributes import InstrumentedAttribute

from pytest_dbguard.recording.reads import ReadTracker

RELATIONSHIPS = (Customer.orders, Customer.profile, Order.items, Order.customer, Order.labels, Item.product)


@pytest.fixture
def notes():
    """What a tracker of its own tells, which no query belongs to."""
    return []


@pytest.fixture
def tracker(notes):
    tracker = ReadTracker("mine", notes.append)
    yield tracker
    tracker.stop()
    assert {type(each) for each in RELATIONSHIPS} == {InstrumentedAttribute}


def related(owner, *names):
    return [inspect(owner).relationships[name] for name in names]


def test_a_tracker_that_is_used_again(tracker, notes):
    (orders,) = related(Customer, "orders")
    for _ in range(2):
        tracker.track(orders)
        tracker.track(orders)
        assert Customer().orders == []
        tracker.stop()
        assert Customer().orders == []
    assert notes == [orders] * 2


def test_a_tracker_below_another_that_is_used_again(tracker, notes):
    (orders,) = related(Customer, "orders")
    others = []
    other = ReadTracker("other", others.append)
    tracker.track(orders)
    other.track(orders)
    tracker.stop()
    tracker.track(orders)
    assert Customer().orders == []
    assert (set(notes), others) == ({orders}, [orders])
    tracker.stop()
    assert Customer().orders == []
    other.stop()
    assert (set(notes), others) == ({orders}, [orders] * 2)
    assert type(Customer.orders) is InstrumentedAttribute


def test_a_stopped_tracker_can_be_forgotten():
    tracker = ReadTracker("mine", lambda relationship: None)
    tracker.track(*related(Customer, "orders"))
    tracker.stop()
    gone = weakref.ref(tracker)
    del tracker
    gc.collect()
    assert gone() is None


def test_errors_of_the_application_come_through(tracker):
    customer = Customer()
    tracker.track(*related(Customer, "orders"))
    with pytest.raises(AttributeError, match="no_such"):
        customer.no_such
    with pytest.raises(TypeError):
        customer.orders + 5


def test_a_fault_of_ours_does_not():
    def fail(relationship):
        raise ValueError("ours")

    tracker = ReadTracker("mine", fail)
    tracker.track(*related(Customer, "orders"))
    try:
        assert Customer().orders == []
    finally:
        tracker.stop()


def test_attributes_of_the_class_are_as_before(tracker):
    before = str(select(Order).where(Order.items.any(Item.id == 1)).join(Order.customer).options(lazyload(Order.items)))
    documentation = Order.items.__doc__
    tracker.track(*related(Order, "items"))
    statement = select(Order).where(Order.items.any(Item.id == 1)).join(Order.customer).options(lazyload(Order.items))
    assert str(statement) == before
    assert isinstance(Order.items, InstrumentedAttribute)
    assert Order.items is Order.__dict__["items"] is inspect(Order).all_orm_descriptors["items"]
    assert (Order.items.key, Order.items.__doc__) == ("items", documentation)
    assert Order.items.property.key == "items"
    assert inspect(Order).attrs["items"].class_attribute is Order.items


def test_writes_and_deletions_are_as_before(tracker, notes):
    for each in related(Customer, "orders", "profile"):
        tracker.track(each)
    customer = Customer(orders=[Order()], profile=Profile())
    customer.orders = []
    del customer.profile
    assert notes == []
    assert (customer.orders, customer.profile) == ([], None)
    assert [each.key for each in notes] == ["orders", "profile"]


def programs():
    def chain(session):
        option = selectinload(Customer.orders).joinedload(Order.items).subqueryload(Item.product)
        customers = session.scalars(select(Customer).options(option).order_by(Customer.id)).all()
        return [item.product.sku for each in customers for order in each.orders for item in order.items]

    def change(session):
        order = session.scalars(select(Order).options(joinedload(Order.items), selectinload(Order.customer))).first()
        order.items.append(Item(product_id=1))
        order.customer.profile.bio = "changed"
        session.flush()
        session.refresh(order)
        return len(order.items), order.customer.profile.bio, session.dirty, inspect(order).unloaded

    def companies(session):
        statement = select(Employee).options(joinedload(Employee.company)).order_by(Employee.id)
        return [(type(each).__name__, each.company.name) for each in session.scalars(statement)]

    def detached(session):
        customer = session.scalars(select(Customer).options(joinedload(Customer.orders))).unique().first()
        session.close()
        try:
            return len(customer.orders), customer.profile
        except Exception as error:
            return type(error)

    def backwards(session):
        company = Company()
        Engineer(company=company)
        order = session.get(Order, 1, options=[joinedload(Order.customer)])
        order.customer = session.get(Customer, 2)
        return len(session.get(Customer, 2).orders), len(session.get(Customer, 1).orders), company.id

    return chain, change, companies, detached, backwards


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.__name__)
def test_a_program_behaves_as_without(engine, make_watch, program):
    def run():
        with Session(engine) as session:
            try:
                return program(session)
            finally:
                session.rollback()

    before = run()
    watch = make_watch()
    watch.start()
    assert run() == before == run()
    watch.stop()
    assert run() == before
    assert watch.recorder.faults == []
