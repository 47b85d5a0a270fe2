"""What the faults of `runtime_faults.py` happen to: servers, a proxy before them, and an application on an engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Self

from runtime_engines import Opened, dbguard, pre_ping
from sqlalchemy import URL, Integer, column, func, insert, select, table, text
from sqlalchemy.orm import Session

from tests.runtime.faults.proxy import Proxy
from tests.runtime.faults.replication import StreamingReplica
from tests.runtime.faults.server import GUARDED, RestartableServer

SIZE = 5
NOTES = table("fault_notes", column("id", Integer))
COUNT = select(func.count()).select_from(NOTES)


class Scene:
    """A primary, its replica, and a table."""

    def __init__(self, primary: RestartableServer) -> None:
        self.primary = primary
        self.replica = StreamingReplica(primary)

    def __enter__(self) -> Self:
        self.primary.execute("CREATE TABLE fault_notes (id int)")
        self.primary.execute(f"CREATE ROLE {GUARDED} LOGIN PASSWORD 'first'")
        self.replica.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self.replica.__exit__(*raised)

    def mend(self) -> None:
        """Bring everything back to what each case begins with."""
        self.primary.mend()
        self.primary.terminate_all()
        self.primary.execute("TRUNCATE fault_notes")
        self.primary.execute(f"ALTER ROLE {GUARDED} PASSWORD 'first'")
        self.replica.mend()


@dataclass
class User:
    """An application with one way to use its engines, and what its request is."""

    scene: Scene
    opened: Opened
    proxy: Proxy
    request: Callable[[User], object]
    reader: Any = None
    """The engine that a plain application reads with."""

    context: Context = field(default_factory=copy_context)
    """Where the position of its last write is kept, for all of its threads."""

    kept: list[Any] = field(default_factory=list)
    """What a fault wants to keep until the end."""

    @property
    def is_plain(self) -> bool:
        return self.opened.manager is None

    def ask(self) -> object:
        return self.context.run(self.request, self)

    def warm_up(self) -> None:
        """Open all connections of the pool, and use each thing once."""
        held = [self.opened.engine.connect() for _ in range(self.opened.engine.pool.size())]
        for connection in held:
            connection.close()
        self.request(self)

    def reading(self) -> Session:
        """Return a session that reads as this application does."""
        return Session(self.reader) if self.is_plain else self.opened.manager.routing_session()

    def close(self) -> None:
        self.proxy.close()
        self.opened.close()
        if self.reader is not None:
            self.reader.dispose()


def read(user: User) -> None:
    """Ask for one row."""
    with user.opened.engine.connect() as connection:
        connection.execute(text("SELECT 1")).one()


def write(user: User) -> None:
    """Write one row."""
    with user.opened.engine.begin() as connection:
        connection.execute(insert(NOTES).values(id=1))


def read_replica(user: User) -> None:
    """Read by the way that leads to the replica."""
    with user.reading() as session:
        session.scalar(COUNT)


def read_own_write(user: User) -> None:
    """Read, and fail where what was written before is not to be seen."""
    with user.reading() as session:
        assert session.scalar(COUNT) >= len(user.kept)


def user_of(
    way: str, scene: Scene, request: Callable[[User], object], *, size: int, guarded: bool, replica: bool
) -> User:
    """Make an application whose connections to primary, or to the replica, go through a proxy."""
    proxy = Proxy(scene.replica.socket if replica else scene.primary.socket)
    url = scene.primary.url if replica else proxy.url(scene.primary.url)
    if guarded:  # the proxy leads to the socket, where this role is asked for its password
        url = url.set(username=GUARDED, password="first")
    if way == "plain":
        reader = pre_ping(proxy.url(scene.replica.url), size=size).engine if replica else None
        return User(scene, pre_ping(url, size=size), proxy, request, reader)
    passwords = {"password_from": lambda: PASSWORDS.current} if guarded else {}
    if guarded:
        url = url.set(password=None)
    reads: URL | None = proxy.url(scene.replica.url) if replica else None
    return User(scene, dbguard(url, size=size, replica=reads, **passwords), proxy, request)


class Passwords:
    """What the place where credentials are kept tells."""

    current = "first"


PASSWORDS = Passwords()


def later(seconds: float, work: Callable[[], object]) -> None:
    """Do something while the application asks."""
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()
