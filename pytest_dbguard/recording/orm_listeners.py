"""Hears what the ORM is asked for and what it loads by itself; tells each load which query its instance came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Mapper, ORMExecuteState, RelationshipProperty, Session, SessionTransaction

from pytest_dbguard.recording.calls import CallKind, LoadCall, OriginOption
from pytest_dbguard.recording.columns import column_cause, column_names
from pytest_dbguard.recording.eager import EagerReader
from pytest_dbguard.recording.leaks import has_leak, without_leak
from pytest_dbguard.recording.reads import ReadTracker
from pytest_dbguard.recording.recorder import Recorder

_MAX_IDENTITY_MAP = 20_000
_BY_JOIN = frozenset({"joined", "contains"})
LOAD_OPTIONS = "_sa_orm_load_options"
"""The execution option with which SQLAlchemy marks the loads that it sends by itself."""


class OrmListeners:
    """The session's events around selects, flushes and transactions."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._eager = EagerReader()
        self._reads = ReadTracker(recorder.name, recorder.read_elsewhere)
        self._loading: list[type] = []
        self._has_leak = has_leak()
        # the name is SQLAlchemy's own: where a version uses another, all selects take the longer way
        reader = ORMExecuteState.load_options.fget  # type: ignore[attr-defined]
        self._marks_loads = LOAD_OPTIONS in reader.__code__.co_consts

    def events(self) -> list[tuple[Any, str, Callable[..., Any], dict[str, Any]]]:
        """Return what to listen to."""
        return [
            (Session, "do_orm_execute", self._orm_execute, {}),
            (Session, "before_flush", self._before_flush, {}),
            (Session, "after_transaction_create", self._session_transaction_began, {}),
            (Session, "after_transaction_end", self._session_transaction_ended, {}),
            (Mapper, "expire", self._expired, {"raw": True}),
            (Mapper, "pickle", self._pickled, {"raw": True}),
        ]

    def stop(self) -> None:
        """Remove what was attached to single classes and attributes on the way."""
        self._reads.stop()
        for loaded in self._loading:
            event.remove(loaded, "load", self._instance_loaded)
        self._loading.clear()

    def _session_transaction_began(self, session: Session, transaction: SessionTransaction) -> None:
        if transaction.nested:
            self._recorder.savepoint_begins()

    def _session_transaction_ended(self, session: Session, transaction: SessionTransaction) -> None:
        # A session that joined an outer transaction commits into a savepoint: no commit of the engine is heard.
        try:
            if transaction.parent is None:
                self._recorder.session_ended(session)
        except Exception as error:  # noqa: BLE001  nothing of ours may reach the code under test
            self._recorder.fault("recording the end of a transaction", error)

    def _before_flush(self, session: Session, flush_context: Any, instances: Any) -> None:
        self._recorder.flush_begins()

    def _expired(self, state: Any, names: Any) -> None:
        try:
            session = state.session
            if session is not None:
                self._recorder.session_expired(session)
        except Exception as error:  # noqa: BLE001
            self._recorder.fault("recording that an instance expired", error)

    def _pickled(self, state: Any, state_dict: Any) -> None:
        """Note that an instance was stored with all that it holds: that is a use."""
        try:
            for option in state.load_options:
                if type(option) is OriginOption and option.eager:
                    option.reads = option.reads or {}
                    for load in option.eager:
                        option.reads.setdefault(load.relationship, set())
        except Exception as error:  # noqa: BLE001
            self._recorder.fault("recording that an instance was pickled", error)

    def _orm_execute(self, state: ORMExecuteState) -> None:
        try:
            recorder = self._recorder
            if state.is_select and recorder.scope is not None:
                local = state.local_execution_options
                # only loads that the ORM sends by itself, `get` and Query come with load options
                if LOAD_OPTIONS in local or recorder.name in local or not self._marks_loads:
                    call = self._call_of(state, local)
                else:
                    call = self._origin(state)
                state.update_execution_options(**{recorder.name: call})
        except Exception as error:  # noqa: BLE001
            self._recorder.fault("recording an ORM select", error)

    def _origin(self, state: ORMExecuteState) -> OriginOption:
        """Attach an origin to a select that the application asked for."""
        mapper = state.bind_mapper
        call = OriginOption(mapper, self._recorder.name)
        # some databases have no FOR UPDATE: the text does not tell
        statement = state.statement
        is_locking = getattr(statement, "_for_update_arg", None) is not None
        options = state.local_execution_options
        call.rereads = is_locking or "populate_existing" in options or "populate_existing" in _own_options(statement)
        if mapper is not None:
            self._note_eager_loads(call, state.statement, mapper)
            self._recorder.latest[mapper.class_] = call
        state.statement = state.statement.options(call)
        return call

    def _note_eager_loads(self, call: OriginOption, statement: Any, mapper: Mapper[Any]) -> None:
        call.eager = loads = self._eager.loads(statement, mapper)
        if not loads:
            return
        scope = self._recorder.scope
        if scope is None or not scope.add_eager(call) or not self._recorder.tracks_reads:
            return
        for load in loads:
            self._reads.track(load.relationship)
            parent = load.relationship.parent.class_
            if load.strategy in _BY_JOIN and parent not in self._loading:
                self._loading.append(parent)
                event.listen(parent, "load", self._instance_loaded, raw=True, propagate=True)

    def _instance_loaded(self, state: Any, context: Any) -> None:
        """Note, at the first instance of a class that a query loads, which joined relationships came along."""
        try:
            call = context.execution_options.get(self._recorder.name) if context is not None else None
            if call is _EAGER:
                # joined in a statement of an eager load
                call = self._origin_in(state.load_options)
            if type(call) is not OriginOption or not call.eager:
                return
            if call.fetched is not None and len(call.fetched) >= len(call.eager):
                return
            joined = (load.relationship for load in call.eager if load.strategy in _BY_JOIN)
            _fetch(call, *(each for each in joined if issubclass(state.class_, each.parent.class_)))
        except Exception as error:  # noqa: BLE001
            self._recorder.fault("recording a loaded instance", error)

    def _call_of(self, state: ORMExecuteState, local: Any) -> OriginOption | LoadCall:
        parent = state.lazy_loaded_from
        if parent is not None:
            kind = CallKind.IMMEDIATE if "sa_top_level_orm_context" in local else CallKind.LAZY
            return self._lazy_call(kind, state, parent)
        if state.is_column_load:
            return self._column_call(state)
        if state.is_relationship_load or self._recorder.name in local:
            if self._has_leak:
                without_leak(state)
            self._note_fetched(state)
            return _EAGER
        return self._origin(state)

    def _lazy_call(self, kind: CallKind, state: ORMExecuteState, parent: Any) -> LoadCall:
        call = self._load_call(kind, state, parent)
        self._recorder.latest_load = call
        relationship = next((item for item in reversed(call.path) if isinstance(item, RelationshipProperty)), None)
        if relationship is None or call.origin is None:
            return call
        if kind is CallKind.IMMEDIATE:
            _fetch(call.origin, relationship)
        elif not relationship.uselist and self._recorder.tracks_reads:
            # further parents may find the same target in the identity map: nothing but their reads tells
            self._reads.track(relationship)
        return call

    def _load_call(self, kind: CallKind, state: ORMExecuteState, parent: Any) -> LoadCall:
        path = getattr(state.loader_strategy_path, "path", ())
        origin = self._origin_of(state)
        if parent is None:
            return LoadCall(kind, origin, path, None, None)
        is_guess = origin is None
        if origin is None:
            origin = self._recorder.latest.get(parent.class_)
        else:
            self._count_parents(state.session, origin, parent.class_, path)
        identity = hash(parent.key) if parent.key is not None else id(parent)
        return LoadCall(kind, origin, path, identity, parent.class_, is_guess)

    def _origin_of(self, state: ORMExecuteState) -> OriginOption | None:
        return self._origin_in(state.user_defined_options)

    def _origin_in(self, options: Iterable[Any]) -> OriginOption | None:
        name = self._recorder.name
        return next((each for each in options if type(each) is OriginOption and each.recorder == name), None)

    def _note_fetched(self, state: ORMExecuteState) -> None:
        """Note that an eager load of an origin was sent for its instances."""
        origin = self._origin_of(state)
        if origin is None or not origin.eager:
            return
        path = getattr(state.loader_strategy_path, "path", ())
        _fetch(origin, *(item for item in path if isinstance(item, RelationshipProperty)))

    def _column_call(self, state: ORMExecuteState) -> LoadCall:
        # these names are SQLAlchemy's own; where a version lacks them, cause and columns stay unknown
        options = state.load_options
        refreshed = getattr(options, "_refresh_state", None)
        call = self._load_call(CallKind.COLUMN, state, refreshed)
        self._recorder.latest_load = call
        names = getattr(getattr(state.statement, "_compile_options", None), "_only_load_props", None) or ()
        call.columns = column_names(refreshed, names)
        call.cause = column_cause(refreshed, call.columns, bool(getattr(options, "_is_user_refresh", False)))
        call.expired_at = self._recorder.expired_at.get(state.session)
        return call

    def _count_parents(self, session: Session, origin: Any, parent_class: type, path: tuple[Any, ...]) -> None:
        """At the second load of one relationship from one origin, count the instances that origin has loaded."""
        scope = self._recorder.scope
        if scope is None or not path or scope.is_full:
            return
        key = (id(origin), path)
        scope.lazy[key] = times = scope.lazy.get(key, 0) + 1
        if times != 2 or len(session.identity_map) > _MAX_IDENTITY_MAP:
            return
        number = sum(
            1
            for state in session.identity_map.all_states()
            if issubclass(state.class_, parent_class) and any(option is origin for option in state.load_options)
        )
        if origin.parents is None:
            origin.parents = {}
        origin.parents[parent_class.__name__] = number


def _own_options(statement: Any) -> Any:
    """Return the execution options that a statement was given; merging them with the others takes longer."""
    return getattr(statement, "_execution_options", ())


def _fetch(origin: OriginOption, *relationships: RelationshipProperty[Any]) -> None:
    """Note relationships that came along with instances of an origin."""
    if origin.fetched is None:
        origin.fetched = set()
    origin.fetched.update(relationships)


_EAGER = LoadCall(CallKind.EAGER, None, (), None, None)
