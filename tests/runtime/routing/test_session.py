"""Where the statements of a transaction go, one after the other, and how it ends: on SQLite."""

from __future__ import annotations

from itertools import groupby

import pytest
from sqlalchemy import (
    delete,
    event,
    func,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError, PendingRollbackError
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlalchemy.orm import selectinload, sessionmaker

from pytest_dbguard.runtime.routing import AsyncRoutingSession, RoutingSession
from tests.runtime.routing.small_manager import Customer, Order


def test_lazy_loads_and_refreshes_go_to_the_replica(sqlite, session):
    customer = session.scalars(select(Customer)).one()
    assert [order.id for order in customer.orders] == [1, 2]
    session.refresh(customer)
    session.expire(customer)
    assert customer.name == "one"
    assert sqlite.where() == ["readonly-1"] * 4


def test_what_is_flushed_before_a_read_is_seen_by_it(sqlite, session):
    session.scalars(select(Customer)).all()
    session.add(Customer(id=9, name="x"))
    assert session.scalar(select(func.count()).select_from(Customer)) == 2
    assert sqlite.where() == ["readonly-1", "primary"]


def test_refreshing_what_was_flushed_goes_to_primary(sqlite, session):
    customer = Customer(id=9, name="x")
    session.add(customer)
    session.flush()
    session.refresh(customer)
    assert sqlite.where() == ["primary"]


def test_a_savepoint_that_is_rolled_back_leaves_the_transaction_on_primary(sqlite, session):
    session.scalars(select(Order)).all()
    with session.begin_nested() as nested:
        session.execute(delete(Order))
        nested.rollback()
    session.scalars(select(Order)).all()
    assert sqlite.where() == ["readonly-1", "primary"]


def test_reads_within_a_savepoint_go_to_the_replica(sqlite, session):
    with session.begin_nested():
        assert len(session.scalars(select(Order)).all()) == 2
    session.commit()
    assert sqlite.where() == ["readonly-1"]


def test_a_commit_does_not_concern_the_replica(sqlite, session):
    session.scalars(select(Order)).all()
    session.execute(delete(Order))
    session.commit()
    assert sqlite.where(of="COMMIT") == ["primary"]


def test_connections_come_back(sqlite, session):
    for _ in range(3):
        session.scalars(select(Order)).all()
        session.execute(delete(Order))
        session.commit()
    with session.begin():
        session.scalars(select(Order)).all()
    session.scalars(select(Order)).all()
    session.close()
    assert [sqlite.engine(role).pool.checkedout() for role in ("primary", "readonly-1")] == [0, 0]


@pytest.mark.parametrize("end", ["close", "reset", "invalidate", "rollback", "commit"])
def test_however_a_session_ends_it_keeps_nothing(sqlite, session, end):
    for _ in range(2):
        session.scalars(select(Order)).all()
        with session.using("analytics"):
            session.scalars(select(Order)).all()
        with session.begin_nested():
            session.execute(delete(Order))
        getattr(session, end)()
        assert [sqlite.engine(role).pool.checkedout() for role in ("primary", "readonly-1", "analytics")] == [0, 0, 0]
    session.scalars(select(Order)).all()
    assert sqlite.where()[-1] == "readonly-1"


def test_a_failed_flush_is_told_as_ever(sqlite, session):
    session.add(Customer(id=1, name="twice"))
    with pytest.raises(IntegrityError):
        session.flush()
    with pytest.raises(PendingRollbackError):
        session.begin_nested()
        session.scalars(select(Order)).all()
    session.rollback()
    session.scalars(select(Order)).all()
    assert sqlite.where() == ["readonly-1"]


def test_a_role_is_chosen_for_a_block(sqlite, session):
    with session.using("analytics"):
        session.scalars(select(Order)).all()
    with session.using("readonly"):
        session.execute(text("SELECT 1"))
        session.execute(select(func.likely(1)))
    with session.using("primary"):
        session.scalars(select(Order)).all()
    assert sqlite.where() == ["analytics", "readonly-1", "readonly-1", "primary"]


def test_what_was_read_from_primary_is_not_unread_by_a_replica(sqlite, session):
    with session.using("primary"):
        session.scalars(select(Order)).all()
    session.scalars(select(Order)).all()
    assert sqlite.where() == ["primary", "primary"]


@pytest.mark.parametrize("role", ["readonly", "analytics"])
def test_a_write_goes_to_primary_whatever_the_role(sqlite, session, role):
    with session.using(role):
        session.execute(delete(Order))
        session.add(Customer(id=9, name="x"))
        session.flush()
        session.scalars(select(Customer).with_for_update()).all()
        session.scalars(select(Customer).add_cte(select(Order).with_for_update().cte())).all()
    assert sqlite.where(of="DELETE") == ["primary"]
    session.rollback()


def test_the_option_of_a_statement_or_a_call_leads_it(sqlite, session):
    session.execute(text("SELECT 1").execution_options(dbguard_role="readonly"))
    session.execute(text("SELECT 1"), execution_options={"dbguard_role": "readonly"})
    session.scalars(select(Order).execution_options(dbguard_role="analytics")).all()
    session.query(Order).execution_options(dbguard_role="primary").all()
    assert sqlite.where() == ["readonly-1", "readonly-1", "analytics", "primary"]


def test_text_that_reads_goes_to_primary_after_a_write(sqlite, session):
    session.execute(delete(Order))
    with session.using("readonly"):
        assert session.scalar(text("SELECT count(*) FROM routed_order")) == 0
    assert sqlite.where() == ["primary"]


def test_an_unknown_role_is_told_with_the_nearest(sqlite, session):
    with pytest.raises(ValueError, match="unknown role 'readony'.*readonly"), session.using("readony"):
        pass
    with pytest.raises(ValueError, match="unknown role 'replica'"):
        session.execute(select(Order).execution_options(dbguard_role="replica"))


def test_to_ask_where_a_statement_would_go_changes_nothing(sqlite, session):
    assert session.get_bind() is sqlite.engine()
    assert session.get_bind(Customer) is sqlite.engine()
    assert "routed_order" in str(session.query(Order))
    assert not session.in_transaction()
    session.scalars(select(Order)).all()
    assert sqlite.where() == ["readonly-1"]


def test_a_session_of_one_engine_or_connection_uses_it_for_everything(sqlite):
    with sqlite.engine().connect() as connection, RoutingSession(sqlite, bind=connection) as session:
        connection.begin()
        session.add(Customer(id=9, name="x"))
        session.commit()
        assert session.scalar(select(func.count()).select_from(Customer)) == 2
        connection.rollback()
    assert sqlite.where() == ["primary"]
    with RoutingSession(sqlite) as session:
        assert session.scalar(select(func.count()).select_from(Customer)) == 1


def test_what_is_bound_elsewhere_goes_there(sqlite):
    with RoutingSession(sqlite, binds={Order: sqlite.engine("analytics")}) as session:
        session.scalars(select(Order)).all()
        session.scalars(select(Customer)).all()
    with RoutingSession(sqlite) as session:
        session.bind_mapper(Order, sqlite.engine("analytics"))
        session.scalars(select(Order)).all()
    assert sqlite.where() == ["analytics", "readonly-1", "analytics"]


def test_a_bind_of_a_call_is_obeyed(sqlite, session):
    session.execute(select(Order), bind_arguments={"bind": sqlite.engine("analytics")})
    session.execute(delete(Order), bind_arguments={"bind": sqlite.engine()})
    session.scalars(select(Order)).all()
    assert sqlite.where() == ["analytics", "primary"]


def test_a_read_that_is_bound_to_primary_leaves_the_transaction_there(sqlite, session):
    session.execute(select(Order), bind_arguments={"bind": sqlite.engine()})
    session.scalars(select(Order)).all()
    assert sqlite.where() == ["primary", "primary"]


def test_a_table_is_bound_elsewhere(sqlite, session):
    session.bind_table(Order.__table__, sqlite.engine("analytics"))
    session.execute(select(Order.__table__))
    session.execute(select(Customer.__table__))
    assert sqlite.where() == ["analytics", "readonly-1"]


def test_listeners_that_execute_or_answer_themselves_are_no_obstacle(sqlite, session):
    @event.listens_for(session, "do_orm_execute")
    def execute(state):
        if state.is_select and not state.is_relationship_load:
            result = state.invoke_statement(execution_options={"seen": True})
            return result.freeze()()
        return None

    assert session.scalars(select(Order.id)).all() == [1, 2]
    session.execute(delete(Order))
    assert session.scalars(select(Order.id)).all() == []
    assert sqlite.where() == ["readonly-1", "primary"]


def test_what_a_listener_does_on_each_new_connection_it_does_on_the_replicas(sqlite, session):
    seen = []

    @event.listens_for(session, "after_begin")
    def prepare(session, transaction, connection):
        seen.append(connection.engine)
        connection.exec_driver_sql("SELECT 'tenant'")

    session.scalars(select(Order)).all()
    session.execute(delete(Order))
    session.commit()
    assert seen == [sqlite.engine("readonly", target="readonly-1"), sqlite.engine()]


def test_two_phases_are_for_one_server(sqlite):
    with RoutingSession(sqlite, twophase=True) as session:
        assert session.get_bind() is sqlite.engine()
        with pytest.raises(NotImplementedError):  # of SQLite's dialect
            session.scalars(select(Order)).all()


def test_serializable_transactions_read_where_they_write(sqlite):
    sqlite.options["primary"] = {"isolation_level": "SERIALIZABLE"}
    sqlite._engines.clear()
    with RoutingSession(sqlite) as session:
        session.scalars(select(Order)).all()
    assert sqlite.where() == ["primary"]


def test_an_isolation_that_is_asked_for_leads_to_primary(sqlite, session):
    session.connection(execution_options={"isolation_level": "SERIALIZABLE"})
    session.scalars(select(Order)).all()
    assert sqlite.where() == ["primary"]


def test_a_session_that_must_be_begun_leaves_nothing_behind(sqlite):
    from sqlalchemy.exc import InvalidRequestError

    with RoutingSession(sqlite, autobegin=False) as session:
        with pytest.raises(InvalidRequestError):
            session.scalars(select(Order)).all()
        with pytest.raises(InvalidRequestError):
            session.connection()
        assert sqlite.engine("readonly-1").pool.checkedout() == 0
        with session.begin():
            session.scalars(select(Order)).all()
    assert sqlite.where() == ["readonly-1"]


def test_sessions_are_made_by_a_sessionmaker(sqlite):
    make = sessionmaker(class_=RoutingSession, manager=sqlite, expire_on_commit=False)
    with make.begin() as session:
        session.scalars(select(Order)).all()
        session.execute(delete(Order))
    assert sqlite.where() == ["readonly-1"]


def test_sessions_within_sessions_are_led_apart(sqlite, session):
    session.execute(update(Customer).values(name="x"))
    with RoutingSession(sqlite) as inner:
        assert inner.scalars(select(Customer.name)).all() == ["one"]
    session.scalars(select(Customer)).all()
    assert sqlite.where() == ["readonly-1", "primary"]


def test_without_replicas_all_goes_to_primary(sqlite):
    from tests.runtime.routing.small_manager import SmallManager

    alone = SmallManager(sqlite.settings.targets()[0])
    with RoutingSession(alone) as session:
        with session.using("analytics"):
            session.scalars(select(Order)).all()
        session.scalars(select(Order)).all()
        session.execute(delete(Order))
        session.rollback()
    assert alone.where() == ["primary", "primary"]
    alone.close()


def test_sqlite_has_no_positions(sqlite, session):
    session.execute(delete(Order))
    session.commit()
    assert session.position is None
    assert session.scalars(select(Order)).all() == []
    assert sqlite.where() == ["readonly-1"]


async def test_an_asynchronous_session_is_led_as_well(sqlite):
    async with AsyncRoutingSession(sqlite) as session:
        customer = (await session.scalars(select(Customer).options(selectinload(Customer.orders)))).one()
        await session.refresh(customer)
        with session.using("analytics"):
            await session.execute(text("SELECT 1"))
        await (await session.connection()).exec_driver_sql("SELECT 1")
        session.add(Order(id=9, customer_id=1))
        await session.commit()
        assert session.position is None
        assert [order async for order in await session.stream_scalars(select(Order.id))] == [1, 2, 9]
        await session.run_sync(lambda within: within.get_one(Customer, 1).orders)
    await sqlite.async_engine("readonly", target="readonly-1").dispose()
    await sqlite.async_engine().dispose()
    assert [target for target, _ in groupby(sqlite.where())] == ["readonly-1", "analytics", "primary", "readonly-1"]


async def test_asynchronous_sessions_are_made_by_a_sessionmaker(sqlite):
    make = async_sessionmaker(class_=AsyncRoutingSession, manager=sqlite, expire_on_commit=False)
    async with make.begin() as session:
        await session.scalars(select(Order))
        await session.execute(delete(Order))
    assert sqlite.where() == ["readonly-1"]
