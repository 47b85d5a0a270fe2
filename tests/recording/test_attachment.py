"""Attach and detach: heard once however often attached, and nothing is left behind."""

from __future__ import annotations

import gc
import weakref

from application import Customer
from sqlalchemy import event, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from pytest_dbguard.recording.current import CURRENT
from pytest_dbguard.recording.listeners import Listeners
from pytest_dbguard.recording.ownership import Ownership
from pytest_dbguard.recording.recorder import Recorder
from pytest_dbguard.recording.scopes import Scope

TARGETS = (Engine, Session)


def registered():
    """Every function that SQLAlchemy would call on an event of its engines and sessions."""
    found = {}
    for target in TARGETS:
        for name in sorted(set(dir(target.dispatch)) | set(target.dispatch._event_names)):
            if not name.startswith("_"):
                listeners = getattr(target.dispatch, name)
                found[target.__name__, name] = sorted(repr(each) for each in listeners._clslevel[target])
    return found


def select_all(engine):
    with Session(engine) as session:
        return len(session.scalars(select(Customer)).all())


def test_attached_twice_hears_once(engine, watch):
    watch.listeners.attach()
    watch.start()
    select_all(engine)
    assert watch.count == 1


def test_detach_removes_every_listener(make_watch, engine):
    before = registered()
    watch = make_watch()
    watch.start()
    assert watch.listeners.is_attached
    during = registered()
    watch.stop()
    assert not watch.listeners.is_attached
    assert during != before == registered()
    select_all(engine)
    assert watch.count == 0
    assert CURRENT.get() is None


def test_detach_twice_and_without_attach(make_watch):
    before = registered()
    watch = make_watch()
    watch.listeners.detach()
    watch.start()
    watch.stop()
    watch.stop()
    assert registered() == before


def test_detach_when_somebody_removed_a_listener(make_watch):
    before = registered()
    watch = make_watch()
    watch.start()
    event.remove(*watch.listeners._attached[0][:3])
    watch.stop()
    assert registered() == before


def test_attach_again(make_watch, engine):
    watch = make_watch()
    for number in range(1, 4):
        watch.start()
        select_all(engine)
        watch.stop()
        select_all(engine)
        assert watch.count == number


def test_engines_made_before_attach_and_used_after_detach(make_watch, engine):
    """Engines keep their own copies of class-level listeners: those go too."""
    select_all(engine)
    watch = make_watch()
    watch.start()
    with Session(engine) as session:
        session.scalars(select(Customer)).all()
        watch.stop()
        session.scalars(select(Customer)).all()
    assert watch.count == 1


def test_two_recorders_hear_the_same_and_do_not_mix(make_watch, engine, application):
    """As when pytest runs pytest in one process: each tells origins by its own marks."""
    first, second = make_watch(), make_watch()
    code = """
        def load(session):
            customers = session.scalars(select(Customer)).all()
            return [len(customer.orders) for customer in customers]
    """
    load = application(code, select=select, Customer=Customer)["load"]
    first.start()
    second.start()
    with Session(engine) as session:
        load(session)
    for watch in (first, second):
        assert watch.count == 5
        origin = watch.statements[0].call
        assert origin.recorder == watch.recorder.name
        assert all(statement.call.origin is origin for statement in watch.statements[1:])
        assert not any(statement.call.is_guess for statement in watch.statements[1:])
        assert watch.recorder.faults == []
    second.stop()
    select_all(engine)
    assert (first.count, second.count) == (6, 5)


def test_the_current_recorder_is_the_first_attached(make_watch):
    first, second = make_watch(), make_watch()
    first.start()
    second.start()
    assert CURRENT.get() is first.recorder
    second.stop()
    assert CURRENT.get() is first.recorder
    first.stop()
    assert CURRENT.get() is None


def test_a_recorder_can_be_forgotten(engine, tmp_path):
    recorder = Recorder(Ownership(tmp_path))
    listeners = Listeners(recorder)
    listeners.attach()
    recorder.open(Scope("the test", "call"))
    with Session(engine) as session:
        session.scalars(select(Customer)).first().orders
    recorder.close()
    listeners.detach()
    gone = weakref.ref(recorder)
    del recorder, listeners
    gc.collect()
    assert gone() is None
