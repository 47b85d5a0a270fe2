"""What the ORM was asked to load: one object for each ORM select, carried along to every later lazy load."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from sqlalchemy.orm import Mapper, RelationshipProperty
from sqlalchemy.orm.interfaces import UserDefinedOption

from pytest_dbguard.recording.eager import EagerLoad
from pytest_dbguard.recording.frames import Stack


class CallKind(IntEnum):
    """Why the ORM sent a select."""

    QUERY = 0
    """The application asked: `session.execute(select(...))`, `session.get`, `Query.all`."""
    LAZY = 1
    """A relationship of one instance was read that had not been loaded."""
    IMMEDIATE = 2
    """`immediateload`, or the relationships that `session.refresh` reloads."""
    COLUMN = 3
    """Columns of one instance: deferred, expired, of a subclass table, or refreshed on request."""
    EAGER = 4
    """Part of another select: selectinload, subqueryload, selectin_polymorphic."""


class ColumnCause(IntEnum):
    """Why columns of an instance had to be loaded after the instance itself."""

    DEFERRED = 0
    """The query or the mapping left them out."""
    SUBCLASS = 1
    """They lie in the table of a subclass, and the query selected the base class."""
    EXPIRED = 2
    """A commit, a rollback or `expire` made the session forget them."""
    REFRESHED = 3
    """`session.refresh` asked for them."""


class OriginOption(UserDefinedOption):
    """A select that the application asked for, attached to the statement as a loader option.

    SQLAlchemy hands the option on to every lazy load and refresh of the instances it loads, so an instance always
    tells which execution it came from. Of it, the statement's cache key holds only that it is there. An instance that
    is pickled takes a plain, empty `UserDefinedOption` along, so that reading it back never needs dbguard.

    Attributes:
        mapper: The entity it selects; None for other selects.
        stack: Where it was sent from; None until it was.
        statement: The `StatementText` it was sent as; None until it was.
        rereads: Whether it asks again on purpose: to lock the rows, or to refresh instances that are there.
        parents: At the second lazy load of a relationship: the number of instances it has loaded, by class name.
        eager: The relationships that it loads along.
        fetched: Those of them that were loaded for at least one instance.
        reads: Tracked relationships that were read on its instances, with hashes of the identities of a few of these.
    """

    __slots__ = ("eager", "fetched", "mapper", "parents", "reads", "recorder", "rereads", "stack", "statement")

    propagate_to_loaders = True
    kind = CallKind.QUERY
    # SQLAlchemy pairs a statement's options with those of the first one that was compiled for its key, which decide
    # what is handed on: if that one was not recorded, or was a lazy load of a pickle's instance, ours would be lost
    _is_has_cache_key = True

    def __init__(self, mapper: Mapper[Any] | None, recorder: str) -> None:
        self.payload = None
        self.recorder = recorder
        self.mapper = mapper
        self.stack: Stack | None = None
        self.statement: Any = None
        self.rereads = False
        self.parents: dict[str, int] | None = None
        self.eager: tuple[EagerLoad, ...] = ()
        self.fetched: set[RelationshipProperty[Any]] | None = None
        self.reads: dict[RelationshipProperty[Any], set[int]] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return UserDefinedOption, (None,)

    def _gen_cache_key(self, anon_map: Any, bindparams: Any) -> tuple[Any, ...]:
        return (OriginOption,)


class LoadCall:
    """A select that the ORM sent by itself: lazy, immediate, column or eager load.

    Attributes:
        kind: Why.
        origin: The select that loaded the instance; None when SQLAlchemy does not tell.
        path: SQLAlchemy's loader path from the origin's entity: mapper, property, mapper, property, ...
        parent: Hash of the identity of the instance that is loaded for; None for eager loads.
        parent_class: The class of that instance.
        is_guess: Whether the origin is the latest select of that class rather than what SQLAlchemy tells.
        cause: Why columns are loaded; None for other loads.
        columns: The names of the attributes that are loaded, in the mapping's order; () where SQLAlchemy hides them.
        expired_at: The stack of the commit, rollback, `expire` or `expire_all` that made the session forget its
            instances last.
    """

    __slots__ = ("cause", "columns", "expired_at", "is_guess", "kind", "origin", "parent", "parent_class", "path")

    def __init__(
        self,
        kind: CallKind,
        origin: OriginOption | None,
        path: tuple[Any, ...],
        parent: int | None,
        parent_class: type | None,
        is_guess: bool = False,
    ) -> None:
        self.kind = kind
        self.origin = origin
        self.path = path
        self.parent = parent
        self.parent_class = parent_class
        self.is_guess = is_guess
        self.cause: ColumnCause | None = None
        self.columns: tuple[str, ...] = ()
        self.expired_at: Stack | None = None
