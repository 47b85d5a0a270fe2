"""Notices which relationships of instances are read: those that a rule asks about, and only while recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import RelationshipProperty
from sqlalchemy.orm.attributes import instance_state

from pytest_dbguard.recording.calls import OriginOption

_MAX_PARENTS = 8

Note = Callable[[Any, RelationshipProperty[Any]], None]


class ReadTracker:
    """Exchanges the class of a relationship's descriptor for one that notes reads; `stop` puts the original back.

    Several may track one relationship: each lays its class over that of the others, and they may stop in any order.

    Costs nothing for relationships that are not tracked, and about 1 µs for each read of those that are. Loads,
    flushes and cascades of SQLAlchemy do not read through the descriptor and are not noted.
    """

    def __init__(
        self,
        name: str,
        stray: Callable[[RelationshipProperty[Any]], None],
        before: Callable[[Any], None] | None = None,
    ) -> None:
        """Make a tracker that notes nothing yet.

        Args:
            name: The recorder's.
            stray: Takes reads of instances that do not tell where they came from.
            before: Takes the state of an instance before its attribute is read.
        """
        self._name = name
        self._stray = stray
        self._before = before
        self._tracked: dict[RelationshipProperty[Any], list[Any]] = {}
        self._relationships: dict[int, RelationshipProperty[Any]] = {}
        self._classes: dict[type, type] = {}

    def track(self, relationship: RelationshipProperty[Any]) -> None:
        """Note reads of a relationship from now on."""
        if relationship in self._tracked:
            return
        changed = self._tracked[relationship] = []
        for mapper in relationship.parent.self_and_descendants:
            attribute = mapper.class_manager.get(relationship.key)
            if attribute is not None and id(attribute) not in self._relationships:
                changed.append(attribute)
                self._relationships[id(attribute)] = relationship
                attribute.__class__ = self._noting(type(attribute))

    def stop(self) -> None:
        """Put all descriptors back as they were; under another tracker's class ours goes when that one stops."""
        self._relationships.clear()
        for changed in self._tracked.values():
            for attribute in changed:
                attribute.__class__ = _without_stopped(attribute)
        self._tracked.clear()

    def tracks(self, attribute: Any) -> bool:
        """Whether reads of a descriptor are noted."""
        return id(attribute) in self._relationships

    def _noting(self, base: type) -> type:
        """Return a subclass of a descriptor's class that notes reads; the same one for the same class."""
        if base not in self._classes:
            note = self._note

            class NotingAttribute(base):  # type: ignore[misc]
                __slots__ = ()
                inherit_cache = True
                dbguard_tracker = self

                def __get__(self, instance: Any, owner: Any) -> Any:
                    if instance is not None:
                        note(self, instance)
                    return base.__get__(self, instance, owner)  # type: ignore[attr-defined]

            self._classes[base] = NotingAttribute
        return self._classes[base]

    def _note(self, attribute: Any, instance: Any) -> None:
        try:
            relationship = self._relationships.get(id(attribute))
            if relationship is None:
                return
            state = instance_state(instance)
            if self._before is not None:
                self._before(state)
            for option in state.load_options:
                if type(option) is OriginOption and option.recorder == self._name:
                    self._note_read(option, relationship, state)
                    return
            self._stray(relationship)
        except Exception:  # noqa: BLE001  reading an attribute never fails because of us; what is not noted counts as unread
            return

    def _note_read(self, origin: OriginOption, relationship: RelationshipProperty[Any], state: Any) -> None:
        reads = origin.reads
        if reads is None:
            reads = origin.reads = {}
        parents = reads.get(relationship)
        if parents is None:
            parents = reads[relationship] = set()
            if not any(load.relationship is relationship for load in origin.eager):
                self._stray(relationship)
        if len(parents) < _MAX_PARENTS:
            parents.add(hash(state.key))


def _without_stopped(attribute: Any) -> type:
    """Return a descriptor's class without those of trackers that stopped, as far as they lie on top."""
    found = type(attribute)
    while "dbguard_tracker" in vars(found) and not found.dbguard_tracker.tracks(attribute):
        found = found.__bases__[0]
    return found
