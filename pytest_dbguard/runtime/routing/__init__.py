"""Reads from replicas and writes to primary, in one session: each client reads its own writes."""

from pytest_dbguard.runtime.routing.async_session import AsyncRoutingSession
from pytest_dbguard.runtime.routing.positions import (
    LATEST,
    Position,
    Trail,
    current_position,
    note_write,
    position_scope,
)
from pytest_dbguard.runtime.routing.replica_state import ReplicaState
from pytest_dbguard.runtime.routing.replicas import Replicas
from pytest_dbguard.runtime.routing.session import RoutingSession
from pytest_dbguard.runtime.routing.web import PositionASGI, PositionWSGI

__all__ = [
    "LATEST",
    "AsyncRoutingSession",
    "Position",
    "PositionASGI",
    "PositionWSGI",
    "ReplicaState",
    "Replicas",
    "RoutingSession",
    "Trail",
    "current_position",
    "note_write",
    "position_scope",
]
