"""What is a statement: each way to send one is counted once, and nothing that the application did not ask for is."""

from __future__ import annotations

import pytest
from application import Base, Category, Customer, Employee, Engineer, Item, Job, Label, Order, order_labels
from sqlalchemy import bindparam, create_engine, event, exc, func, insert, inspect, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, aliased, joinedload, selectinload, subqueryload, undefer, with_polymorphic
from sqlalchemy.pool import StaticPool

# each takes a session and returns nothing; the number is how many statements it sends


def core_select(session):
    session.execute(select(Customer.__table__)).all()


def orm_select(session):
    session.scalars(select(Customer)).all()


def textual(session):
    session.execute(text("SELECT id FROM customer WHERE id = :id"), {"id": 1}).all()


def driver_sql(session):
    session.connection().exec_driver_sql("SELECT id FROM customer WHERE id = ?", (1,)).all()


def literal_driver_sql(session):
    for number in (1, 2):
        session.connection().exec_driver_sql(f"SELECT id FROM customer WHERE id = {number}").all()


def legacy_query(session):
    session.query(Customer).filter_by(id=1).one()
    session.query(Customer).count()


def legacy_iteration(session):
    for customer in session.query(Customer).order_by(Customer.id):
        assert customer.id


def legacy_bulk(session):
    session.query(Job).update({"state": "done"})
    session.query(Job).delete()


def get(session):
    customer = session.get(Customer, 1)
    assert session.get(Customer, 1) is customer


def refreshed(session):
    session.refresh(session.get(Customer, 1))


def expired(session):
    customer = session.get(Customer, 1)
    session.expire(customer)
    assert customer.name


def lazy(session):
    assert len(session.get(Customer, 1).orders) == 2


def joined(session):
    customers = session.scalars(select(Customer).options(joinedload(Customer.orders))).unique().all()
    assert [len(customer.orders) for customer in customers] == [2] * 4


def eager(session):
    stmt = select(Customer).options(selectinload(Customer.orders).subqueryload(Order.items))
    for customer in session.scalars(stmt).all():
        assert [len(order.items) for order in customer.orders] == [2, 2]


def polymorphic(session):
    everybody = with_polymorphic(Employee, [Engineer])
    session.scalars(select(everybody)).all()


def streamed(session):
    stmt = select(Item).execution_options(yield_per=3)
    assert len([item for part in session.scalars(stmt).partitions() for item in part]) == 16


def unit_of_work(session):
    session.add_all([Job(), Job()])
    session.flush()


def autoflush(session):
    session.add(Job())
    session.scalars(select(Job)).all()


def orm_insert(session):
    session.execute(insert(Job), [{"state": "a"}, {"state": "b"}])


def orm_update(session):
    session.execute(update(Job).where(Job.id == 1).values(state="done"))


def executemany(session):
    rows = [{"key": 1, "to": "x"}, {"key": 2, "to": "y"}]
    stmt = update(Job.__table__).where(Job.__table__.c.id == bindparam("key")).values(state=bindparam("to"))
    session.connection().execute(stmt, rows)


def many_values(session):
    rows = [{"state": "new"} for _ in range(3_000)]
    assert len(session.scalars(insert(Job).returning(Job.id), rows).all()) == 3_000


def bulk_save(session):
    session.bulk_insert_mappings(Job, [{"state": "a"}, {"state": "b"}])


def savepoint(session):
    with session.begin_nested():
        session.scalars(select(Job)).all()
    session.begin_nested().rollback()


def committed(session):
    session.add(Job())
    session.commit()
    session.rollback()


def nothing(session):
    session.connection()
    session.commit()


def scalar_function(session):
    assert session.scalar(select(func.max(Job.id))) == 4


def secondary(session):
    assert len(session.get(Order, 1).labels) == 3


def cascade(session):
    session.delete(session.get(Order, 1))
    session.flush()


WAYS = {
    core_select: 1, orm_select: 1, textual: 1, driver_sql: 1, literal_driver_sql: 2, legacy_query: 2,
    legacy_iteration: 1, legacy_bulk: 2, get: 1, refreshed: 2, expired: 2, lazy: 2, joined: 1, eager: 3,
    polymorphic: 1, streamed: 1, unit_of_work: 1, autoflush: 2, orm_insert: 1, orm_update: 1, executemany: 1,
    many_values: 1, bulk_save: 1, savepoint: 1, committed: 1, nothing: 0, scalar_function: 1, secondary: 2,
    cascade: 6,
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_each_statement_is_counted_once(engine, watch, way):
    with Session(engine) as session:
        way(session)
    assert (watch.count, len(watch.statements)) == (WAYS[way], WAYS[way])
    assert not any(statement.failed for statement in watch.statements)
    assert all(statement.site.function == way.__name__ for statement in watch.statements)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_the_same_counts_by_an_async_driver(async_engine, watch, way):
    async with AsyncSession(async_engine) as session:
        await session.run_sync(way)
    assert watch.count == WAYS[way]
    assert all(statement.site.function == way.__name__ for statement in watch.statements)


async def test_async_ways_of_their_own(async_engine, watch):
    async with AsyncSession(async_engine) as session:
        result = await session.stream_scalars(select(Item).execution_options(yield_per=3))
        assert len([item async for item in result]) == 16
        assert (await session.get(Customer, 1)).name == "customer0"
    async with async_engine.connect() as connection:
        stream = await connection.stream(select(Customer.__table__))
        assert len([row async for row in stream]) == 4
        await connection.exec_driver_sql("SELECT 1 FROM customer")
        await connection.execute(insert(order_labels), [{"order_id": 1, "label_id": 9}, {"order_id": 2, "label_id": 9}])
    assert watch.verbs == ["SELECT", "SELECT", "SELECT", "SELECT", "INSERT"]
    assert watch.statements[-1].is_many


def test_statements_tell_what_is_special(engine, watch):
    with Session(engine) as session:
        many_values(session)
        executemany(session)
        unit_of_work(session)
        textual(session)
    values, many, flushed, read = watch.statements
    assert (values.is_many, values.parameters, values.in_flush) == (True, None, False)
    assert (many.is_many, many.parameters, many.in_flush) == (True, None, False)
    assert (flushed.in_flush, flushed.flush > 0) == (True, True)
    assert (read.is_many, read.in_flush, read.flush) == (False, False, 0)
    assert all(statement.elapsed_ms > 0 for statement in watch.statements)


def test_equal_parameters_have_equal_hashes_and_others_do_not(engine, watch):
    with engine.connect() as connection:
        for number in (1, 2, 1):
            connection.execute(select(Job.id).where(Job.id == number))
            connection.exec_driver_sql("SELECT state FROM job WHERE id = ?", (number,))
    hashes = [statement.parameters for statement in watch.statements]
    assert hashes[0] == hashes[4] != hashes[2]
    assert hashes[1] == hashes[5] != hashes[3]


def test_single_values_are_kept_for_pages_and_chunks_only(engine, watch):
    with engine.connect() as connection:
        connection.execute(select(Job.id).where(Job.id == 1))
        connection.execute(select(Job.id).limit(2).offset(0))
        connection.execute(select(Job.id).limit(2).offset(2))
        connection.execute(select(Job.id).where(Job.id.in_([1, 2, 3])))
    single, first, second, chunk = (statement.values for statement in watch.statements)
    assert single == ()
    assert first[0] == second[0]
    assert first[1] != second[1]
    assert len(set(chunk)) == 3


def test_catalog_queries_are_not_counted(engine, watch):
    inspector = inspect(engine)
    assert inspector.get_columns("customer")
    assert inspector.get_foreign_keys("orders")
    assert inspector.get_indexes("orders") == []
    Base.metadata.create_all(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        connection.exec_driver_sql("PRAGMA table_info(customer)")
    assert watch.count == 0


def test_a_first_connection_costs_nothing(watch, tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    engine.connect().close()
    engine.dispose()
    assert watch.count == 0


def test_several_engines_are_heard(engine, watch):
    second = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(second)
    created = watch.count
    for each in (engine, second, engine.execution_options(logging_token="x")):
        with Session(each) as session:
            session.scalars(select(Customer)).all()
    assert watch.count - created == 3
    second.dispose()


def test_failing_statements_are_counted_as_failed(engine, watch):
    with Session(engine) as session:
        with pytest.raises(exc.OperationalError):
            session.execute(text("SELECT nothing FROM customer"))
        session.rollback()
        session.add(Label(id=1, name="taken"))
        with pytest.raises(exc.IntegrityError):
            session.flush()
        session.rollback()
        with pytest.raises(exc.IntegrityError):
            session.execute(insert(Label), [{"id": 50, "name": "a"}, {"id": 50, "name": "b"}])
        session.rollback()
        session.scalars(select(Label)).all()
    assert [statement.failed for statement in watch.statements] == [True, True, True, False]
    assert [statement.is_many for statement in watch.statements] == [False, False, True, False]
    assert watch.statements[1].in_flush


def test_what_fails_before_the_driver_is_no_statement(engine, watch):
    with Session(engine) as session, pytest.raises(exc.StatementError):
        session.execute(text("SELECT id FROM customer WHERE id = :missing"))
    assert watch.count == 0


def test_transactions_number_statements(engine, watch):
    with Session(engine) as session:
        core_select(session)
        core_select(session)
        session.commit()
        core_select(session)
        session.rollback()
        core_select(session)
    numbers = [statement.transaction for statement in watch.statements]
    assert numbers[0] == numbers[1] < numbers[2] < numbers[3]


def test_explicit_savepoints_number_statements(engine, watch):
    with Session(engine) as session:
        for _ in range(2):
            with session.begin_nested():
                core_select(session)
    with engine.connect() as connection, connection.begin():
        for _ in range(2):
            with connection.begin_nested():
                connection.execute(select(Job.id))
    numbers = [statement.savepoint for statement in watch.statements]
    assert numbers == sorted(set(numbers))


def test_joining_an_outer_transaction_is_no_savepoint_of_the_application(engine, watch):
    with (
        engine.connect() as connection,
        connection.begin(),
        Session(connection, join_transaction_mode="create_savepoint") as session,
    ):
        core_select(session)
        session.commit()
        core_select(session)
    first, second = watch.statements
    assert first.savepoint == second.savepoint
    assert first.transaction < second.transaction


def test_flushes_number_their_statements(engine, watch):
    with Session(engine) as session:
        for _ in range(2):
            session.add(Customer(name="new", orders=[Order()]))
            session.flush()
    flushes = [statement.flush for statement in watch.statements]
    assert flushes[0] == flushes[1] != flushes[2] == flushes[3]


def test_listeners_of_the_application_go_on(engine, watch):
    """A statement that another listener rewrites or adds to is recorded as it is sent."""
    heard = []

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def comment(conn, cursor, statement, parameters, context, executemany):
        heard.append(statement)
        return statement + " -- by the application", parameters

    @event.listens_for(Session, "do_orm_execute")
    def add_option(state):
        if state.is_select:
            state.statement = state.statement.options(undefer("*"))

    try:
        with Session(engine) as session:
            assert len(session.scalars(select(Customer)).all()) == 4
    finally:
        event.remove(Session, "do_orm_execute", add_option)
    assert len(heard) == watch.count == 1
    assert "application" not in watch.statements[0].sql


def test_results_are_the_same_with_and_without(engine, make_watch):
    def program():
        with Session(engine) as session:
            parent = aliased(Category)
            children = select(Category.name, parent.name).join(parent, Category.parent).order_by(Category.id)
            customers = select(Customer).options(selectinload(Customer.orders), subqueryload(Customer.profile))
            return (
                [tuple(row) for row in session.execute(children)],
                [(each.name, len(each.orders), each.profile.bio) for each in session.scalars(customers)],
                session.query(Item).order_by(Item.id.desc()).first().id,
                session.connection().exec_driver_sql("SELECT count(*) FROM item").scalar_one(),
                [type(each).__name__ for each in session.scalars(select(Employee).order_by(Employee.id))],
            )

    before = program()
    watch = make_watch()
    watch.start()
    assert program() == before
    watch.stop()
    assert program() == before
