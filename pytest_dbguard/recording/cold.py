"""Takes out of sessions what test code left in them, before the application reads: as in a session of its own.

A test that builds its data and calls the application in one session finds everything in the identity map, and lazy
loads that production would send do not happen. This is for a second run of a test, whose outcome nobody looks at:
what is detached may be missing to the test.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.orm import InstanceState, Mapper, Query, Session
from sqlalchemy.orm.attributes import instance_state

from pytest_dbguard.recording.ownership import CodeKind
from pytest_dbguard.recording.reads import ReadTracker
from pytest_dbguard.recording.recorder import Recorder

_TEST = "test"
_MAX_HANDED = 1_000

Caller = Any
"""Who works with a session: a call of the application by the test, by the place in the test; or the test itself."""


class ColdSessions:
    """Detaches instances that somebody else left in a session when a call of the application first reads from it."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._owners: WeakKeyDictionary[Any, Caller] = WeakKeyDictionary()
        self._entered: WeakKeyDictionary[Session, Caller] = WeakKeyDictionary()
        self._reads = ReadTracker(f"{recorder.name}_cold", lambda relationship: None, before=self._before_read)
        self._registries: set[int] = set()
        self.detached = 0

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Listen while the block runs; afterwards everything is as it was."""
        listeners: list[tuple[str, Callable[..., Any]]] = [
            ("transient_to_pending", self._taken_in),
            ("loaded_as_persistent", self._taken_in),
            ("detached_to_persistent", self._taken_in),
            ("do_orm_execute", self._executes),
        ]
        originals = [(Session, "get", Session.get), (Query, "get", Query.get)]
        for name, listener in listeners:
            event.listen(Session, name, listener)
        Session.get = self._entering(Session.get, lambda session: session)  # type: ignore[method-assign]
        Query.get = self._entering(Query.get, lambda query: query.session)  # type: ignore[method-assign]
        try:
            yield
        finally:
            for target, name, original in originals:
                setattr(target, name, original)
            for name, listener in listeners:
                event.remove(Session, name, listener)
            self._reads.stop()

    def _entering(self, original: Callable[..., Any], session_of: Callable[[Any], Session]) -> Callable[..., Any]:
        @wraps(original)
        def dbguard_cold(target: Any, *args: Any, **kwargs: Any) -> Any:
            self._enter(session_of(target))
            return original(target, *args, **kwargs)

        return dbguard_cold

    def _taken_in(self, session: Session, instance: Any) -> None:
        state = instance_state(instance)
        self._track(state.mapper)
        self._owners[state] = self._caller()[0]

    def _executes(self, execution: Any) -> None:
        if execution.is_select:
            self._enter(execution.session)

    def _before_read(self, state: Any) -> None:
        if state.session is not None:
            self._enter(state.session)

    def _track(self, mapper: Mapper[Any]) -> None:
        """Notice reads of all relationships of the models that a session holds: what is loaded sends no statement."""
        if id(mapper.registry) in self._registries:
            return
        self._registries.add(id(mapper.registry))
        for each in mapper.registry.mappers:
            for relationship in each.relationships:
                self._reads.track(relationship)

    def _caller(self) -> tuple[Caller, list[FrameType]]:
        """Return who runs, and the application's frames from the innermost to the one that the test called."""
        frames: list[FrameType] = []
        for frame in self._recorder.reader.outward(sys._getframe(1)):
            kind, _ = self._recorder.reader.owner_of(frame.f_code)
            if kind is CodeKind.TEST:
                return (id(frame.f_code), frame.f_lasti) if frames else _TEST, frames
            if kind is CodeKind.APPLICATION:
                frames.append(frame)
        # no test below: a request or a task of its own
        return id(self._recorder.scope), frames

    def _enter(self, session: Session) -> None:
        try:
            caller, frames = self._caller()
            if caller == _TEST or not frames or self._entered.get(session) == caller:
                return
            if getattr(session, "_flushing", False):
                # loads that a flush needs itself
                return
            self._entered[session] = caller
            self._detach_others(session, caller, frames)
        except Exception as error:  # noqa: BLE001  nothing of ours may reach the code under test
            self._recorder.fault("detaching what a test left in a session", error)

    def _detach_others(self, session: Session, caller: Caller, frames: list[FrameType]) -> None:
        """Detach what others left; of what the application was handed, only forget the relationships.

        What was in the session before the test began belongs to fixtures that other tests share: it stays as well.
        """
        if session.new or session.dirty or session.deleted:
            if not session.autoflush:
                return
            session.flush()
        handed = {id(instance) for frame in frames for instance in _instances(frame)}
        states = [state for state in session.identity_map.all_states() if state.obj() is not None]
        others = {state for state in states if self._owners.get(state, _TEST) != caller and not state.modified}
        shared = {state for state in states if state not in self._owners}
        kept = shared | {state for state in states if state not in others or id(state.obj()) in handed}
        for state in states:
            if state in others and state.session is not None:
                self.detached += _take_out(session, state, kept)


def _take_out(session: Session, state: InstanceState[Any], kept: set[InstanceState[Any]]) -> bool:
    """Detach an instance, or forget its relationships where it stays or would take one along that stays."""
    instance = state.obj()
    if state not in kept and not any(each[2] in kept for each in state.mapper.cascade_iterator("expunge", state)):
        session.expunge(instance)
        return True
    names = [each.key for each in state.mapper.relationships if each.key in state.dict]
    if names:
        session.expire(instance, names)
    return bool(names)


def _instances(frame: FrameType) -> Iterator[Any]:
    """Yield mapped instances in a frame's variables: themselves, in collections, and in attributes of `self`."""
    values = list(frame.f_locals.values())
    for value in values[:_MAX_HANDED]:
        yield from _mapped(value)
    if "self" in frame.f_locals:
        for value in list(getattr(frame.f_locals["self"], "__dict__", {}).values())[:_MAX_HANDED]:
            yield from _mapped(value)


def _mapped(value: Any) -> Iterator[Any]:
    if hasattr(type(value), "__mapper__"):
        yield value
    elif isinstance(value, list | tuple | set | frozenset):
        yield from (each for each in list(value)[:_MAX_HANDED] if hasattr(type(each), "__mapper__"))
    elif isinstance(value, dict):
        yield from (each for each in list(value.values())[:_MAX_HANDED] if hasattr(type(each), "__mapper__"))
