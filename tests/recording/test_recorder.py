"""The recorder: pauses, nested scopes, faults that stay inside, and memory that stays bounded."""

from __future__ import annotations

import gc

import pytest
from alembic.runtime.migration import MigrationContext
from application import Customer, Job
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from pytest_dbguard.analysis.schema_watch import SchemaReader
from pytest_dbguard.core.verdict import Fault
from pytest_dbguard.recording import recorder as recorder_module
from pytest_dbguard.recording import scopes as scopes_module
from pytest_dbguard.recording.scopes import MAX_KEPT, Scope


def ask(engine, times=1):
    with engine.connect() as connection:
        for _ in range(times):
            connection.execute(select(Job.id)).all()


def test_nothing_is_recorded_before_and_after(engine, make_watch):
    watch = make_watch()
    ask(engine)
    watch.listeners.attach()
    ask(engine)
    watch.recorder.open(watch.scope)
    ask(engine)
    watch.recorder.close()
    ask(engine)
    assert watch.count == 1


def test_the_next_scope_takes_over(engine, watch):
    ask(engine, 2)
    second = Scope("another test", "call")
    watch.recorder.open(second)
    ask(engine, 3)
    assert (watch.count, second.count) == (2, 3)
    assert [statement.number for statement in second.recording().statements] == [0, 1, 2]


def test_a_paused_scope_records_nothing(engine, watch):
    ask(engine)
    watch.scope.is_paused = True
    ask(engine)
    with watch.recorder.nested(Scope("the test", "GET /")) as request:
        ask(engine)
    watch.scope.is_paused = False
    ask(engine)
    assert (watch.count, request.count) == (2, 0)


def test_nested_scopes_are_apart(engine, watch):
    with watch.recorder.nested(Scope("the test", "GET /a")) as outer:
        ask(engine)
        with watch.recorder.nested(Scope("the test", "GET /b")) as inner:
            ask(engine, 2)
        ask(engine)
    ask(engine)
    assert (outer.count, inner.count, watch.count) == (2, 2, 1)
    recordings = watch.scope.recordings()
    assert [each.scope for each in recordings] == ["call", "GET /a", "GET /b"]
    assert (recordings[0].total_count, recordings[0].nested_count) == (5, 4)


def test_an_error_ends_a_nested_scope(engine, watch):
    with pytest.raises(KeyError), watch.recorder.nested(Scope("the test", "GET /a")):
        raise KeyError
    ask(engine)
    assert watch.count == 1


def test_the_current_scope(make_watch):
    watch = make_watch()
    assert watch.recorder.scope is None
    watch.recorder.open(watch.scope)
    assert watch.recorder.scope is watch.scope
    with watch.recorder.nested(Scope("the test", "GET /")) as inner:
        assert watch.recorder.scope is inner
    watch.recorder.close()
    assert watch.recorder.scope is None


def break_stacks(monkeypatch, watch):
    monkeypatch.setattr(type(watch.recorder.reader), "read", refuse)


def break_texts(monkeypatch, watch):
    monkeypatch.setattr(recorder_module, "read_statement", refuse)


def break_scopes(monkeypatch, watch):
    monkeypatch.setattr(Scope, "add", refuse)


def break_origins(monkeypatch, watch):
    monkeypatch.setattr(type(watch.listeners.orm), "_origin", refuse)
    monkeypatch.setattr(type(watch.listeners.orm), "_call_of", refuse)


def refuse(*arguments, **named):
    raise RuntimeError("broken on purpose")


@pytest.mark.parametrize("break_something", [break_stacks, break_texts, break_scopes, break_origins])
def test_our_own_errors_never_reach_the_code(engine, make_watch, monkeypatch, break_something):
    watch = make_watch()
    watch.start()
    break_something(monkeypatch, watch)
    with Session(engine) as session:
        customers = session.scalars(select(Customer).order_by(Customer.id)).all()
        assert [len(customer.orders) for customer in customers] == [2, 2, 2, 2]
        session.add(Job())
        session.commit()
        with pytest.raises(Exception, match="no such table"):
            session.execute(text("SELECT 1 FROM nowhere"))
    faults = watch.recorder.faults
    assert faults
    assert {fault.error for fault in faults} == {"RuntimeError: broken on purpose"}
    assert len(faults) <= 20


def test_one_cause_is_one_fault(engine, make_watch, monkeypatch):
    watch = make_watch()
    watch.start()
    break_scopes(monkeypatch, watch)
    ask(engine, 5)
    assert watch.recorder.faults == [Fault("recording a statement", "RuntimeError: broken on purpose")]


def test_kept_statements_are_bounded_and_the_count_is_exact(engine, watch):
    ask(engine, MAX_KEPT)
    assert watch.scope.overflow == {}
    with engine.connect() as connection:
        for number in range(150):
            connection.execute(select(Job.id)).all()
            connection.exec_driver_sql(f"SELECT id FROM job WHERE id = {number}")
    recording = watch.scope.recording()
    assert recording.count == MAX_KEPT + 300
    assert len(recording.raw) == len(recording.statements) == MAX_KEPT
    # one entry for each shape and place, however many literals
    assert sorted(recording.overflow.values()) == [150, 150]


def test_lazy_loads_are_bounded(engine, watch, monkeypatch):
    """A job that loads one parent after the other for hours keeps no trace of each."""
    monkeypatch.setattr(scopes_module, "MAX_KEPT", 20)
    with Session(engine) as session:
        for number in range(100):
            customer = session.get(Customer, number % 4 + 1)
            assert len(customer.orders) == 2
            session.expunge_all()
    assert watch.count == 200
    assert len(watch.scope.kept) == 20
    assert len(watch.scope.lazy) <= 20


def test_texts_are_bounded(engine, watch, monkeypatch):
    monkeypatch.setattr(recorder_module, "_MAX_TEXTS", 10)
    with engine.connect() as connection:
        for number in range(100):
            connection.exec_driver_sql(f"SELECT id FROM job WHERE id = {number}")
    assert watch.count == 100
    assert len(watch.recorder._texts) <= 10
    assert len(watch.shapes) == 1


def test_a_closed_scope_holds_no_session(engine, watch):
    with Session(engine) as session:
        session.add(Job())
        session.commit()
        session.scalars(select(Job)).all()
    del session
    gc.collect()
    assert len(watch.recorder.expired_at) == 0


def test_parameters_that_cannot_be_hashed(engine, watch):
    """Lists and dictionaries as values: compared by what they print."""
    recorder = watch.recorder
    for parameters in ([1, [2]], {"a": {"b": 1}}, (bytearray(b"x"),), None, {}, (), 5):
        recorder.statement_ended("SELECT a FROM t WHERE b IN (?, ?, ?)", parameters, None, False, 0, False)
    assert watch.count == 7


def test_no_schema_is_read_for_what_a_revision_runs(engine, watch):
    schemas = watch.recorder.schemas = SchemaReader()

    def upgrade(heads, context):
        context.connection.execute(select(Job.id)).all()
        return []

    with engine.connect() as connection:
        MigrationContext.configure(connection, opts={"fn": upgrade}).run_migrations()
    assert not schemas.catalogs
    ask(engine)
    assert len(schemas.catalogs) == 1
    assert [each.schema for each in watch.statements if "job" in each.tables] == ["", *schemas.catalogs]
