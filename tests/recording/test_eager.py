"""Which relationships the options of a select load along."""

from __future__ import annotations

import pytest
from application import Category, Company, Customer, Item, Order, Profile
from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import (
    Session,
    aliased,
    contains_eager,
    defaultload,
    defer,
    immediateload,
    joinedload,
    lazyload,
    load_only,
    raiseload,
    selectinload,
    subqueryload,
    undefer_group,
    with_loader_criteria,
)
from sqlalchemy.orm.interfaces import UserDefinedOption

from pytest_dbguard.recording import eager
from pytest_dbguard.recording.eager import EagerReader


def told(statement, entity, reader=None):
    """The loads as text: `books.pages immediate mapped`."""
    loads = (reader or EagerReader()).loads(statement, inspect(entity).mapper)
    return [
        f"{'.'.join(each.key for each in load.path)} {load.strategy}{' mapped' if load.is_mapped else ''}"
        for load in loads
    ]


def test_nothing():
    assert told(select(Customer), Customer) == []
    assert told(text("SELECT 1"), Customer) == []
    assert told(select(func.count()).select_from(Customer), Customer) == []


@pytest.mark.parametrize(
    ("option", "strategy"),
    [(joinedload, "joined"), (selectinload, "selectin"), (subqueryload, "subquery"), (immediateload, "immediate")],
)
def test_each_strategy(option, strategy):
    statement = select(Customer).options(option(Customer.orders))
    assert told(statement, Customer) == [f"orders {strategy}"]
    (load,) = EagerReader().loads(statement, inspect(Customer))
    assert load.relationship is load.path[0] is Customer.orders.property
    assert not load.is_mapped


@pytest.mark.parametrize("option", [lazyload, raiseload, defaultload])
def test_options_that_load_nothing(option):
    assert told(select(Customer).options(option(Customer.orders)), Customer) == []


OTHER_OPTIONS = {
    "columns": (load_only(Customer.name),),
    "deferred": (defer(Customer.name), undefer_group("large")),
    "criteria": (with_loader_criteria(Customer, Customer.id > 1),),
    "own": (UserDefinedOption("of the application"),),
}


@pytest.mark.parametrize("options", OTHER_OPTIONS.values(), ids=OTHER_OPTIONS)
def test_options_that_name_no_relationship(options):
    statement = select(Customer).options(*options, selectinload(Customer.profile))
    assert told(statement, Customer) == ["profile selectin"]


def test_an_option_of_the_application_with_names_like_sqlalchemys():
    class Odd(UserDefinedOption):
        context = path = strategy = 5

    assert told(select(Customer).options(Odd(), joinedload(Customer.orders)), Customer) == ["orders joined"]


def test_chains():
    option = selectinload(Customer.orders).selectinload(Order.items).joinedload(Item.product)
    assert told(select(Customer).options(option), Customer) == [
        "orders selectin",
        "orders.items selectin",
        "orders.items.product joined",
    ]


def test_branches():
    branches = joinedload(Customer.orders).options(
        selectinload(Order.items).load_only(Item.id), subqueryload(Order.labels)
    )
    statement = select(Customer).options(branches, joinedload(Customer.profile))
    assert sorted(told(statement, Customer)) == [
        "orders joined",
        "orders.items selectin",
        "orders.labels subquery",
        "profile joined",
    ]


def test_options_one_by_one():
    statement = select(Customer).options(defaultload(Customer.orders).selectinload(Order.items))
    assert told(statement, Customer) == []  # orders are read later, and their items come along then
    statement = statement.options(selectinload(Customer.orders))
    assert told(statement, Customer) == ["orders selectin", "orders.items selectin"]


def test_the_last_option_holds():
    statement = select(Customer).options(selectinload(Customer.orders), joinedload(Customer.orders))
    assert told(statement, Customer) == ["orders joined"]
    assert told(statement.options(lazyload(Customer.orders)), Customer) == []


def test_nothing_below_what_is_lazy():
    statement = select(Customer).options(selectinload(Customer.orders).lazyload(Order.items).joinedload(Item.product))
    assert told(statement, Customer) == ["orders selectin"]


def test_own_joins():
    statement = select(Order).join(Order.customer)
    option = contains_eager(Order.customer).selectinload(Customer.profile)
    assert told(statement.options(option), Order) == ["customer contains", "customer.profile selectin"]


def test_aliases():
    alias = aliased(Customer)
    statement = select(alias).options(selectinload(alias.orders).joinedload(Order.items))
    assert told(statement, alias) == ["orders selectin", "orders.items joined"]
    order = aliased(Order)
    statement = select(Customer).join(order, Customer.orders).options(contains_eager(Customer.orders.of_type(order)))
    assert told(statement.options(joinedload(Customer.profile)), Customer) == ["orders contains", "profile joined"]


def test_several_entities():
    statement = select(Order, Profile).options(selectinload(Order.items), joinedload(Profile.customer))
    assert told(statement, Order) == ["items selectin", "customer joined"]
    statement = select(Profile.id, Order).options(selectinload(Order.items).joinedload(Item.product))
    assert told(statement, Profile) == ["items selectin", "items.product joined"]


def test_legacy_queries():
    query = Session().query(Customer).options(joinedload(Customer.orders))
    assert told(query._statement_20(), Customer) == ["orders joined"]
    assert told(query.enable_eagerloads(False)._statement_20(), Customer) == []


def test_the_same_select_is_read_once(monkeypatch):
    reader = EagerReader()
    statement = select(Customer).options(selectinload(Customer.orders))
    first = reader.loads(statement, inspect(Customer))
    other = select(Customer).where(Customer.id == 3).options(selectinload(Customer.orders))
    assert reader.loads(other, inspect(Customer)) is first
    assert reader.loads(select(Customer), inspect(Customer)) == ()


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(eager, "_MAX_KNOWN", 3)
    reader = EagerReader()
    for each in (Customer, Order, Item, Profile, Company, Category):
        assert told(select(each), each, reader) == []
        assert len(reader._known) <= 3
    assert told(select(Customer).options(joinedload(Customer.orders)), Customer, reader) == ["orders joined"]
