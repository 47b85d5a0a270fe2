"""A TCP proxy that freezes, resets, delays, cuts and refuses, switched while connections go through it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Awaitable, Callable

from sqlalchemy import URL

Address = str | tuple[str, int]
"""The path of a socket, or host and port."""

_Filter = Callable[[bytes, bool], Awaitable[tuple[bytes, bool]]]

_LOCAL = "127.0.0.1"
_CHUNK = 1 << 16
_AT_ONCE = struct.pack("ii", 1, 0)  # closing discards what is unsent and tells the peer by a reset
_WATCHDOG_S = 60.0


class Proxy:
    """Leads from a port of its own to a server. Each method returns after the change has taken effect."""

    def __init__(self, upstream: Address) -> None:
        self._upstream = upstream
        self._delay_s = 0.0
        self._budget: int | None = None
        self._resets = False
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        self._placeholder: socket.socket | None = None
        self.accepted = 0
        """How many connections have been taken, those that were reset at once included."""
        self._loop = asyncio.new_event_loop()
        self._flow = asyncio.Event()
        self._flow.set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.port = 0
        self._call(self._listen)

    @property
    def open(self) -> int:
        """Return how many connections go through it."""
        return len(self._links)

    def url(self, url: URL) -> URL:
        """Return the address that leads through the proxy to what `url` names."""
        return url.set(host=_LOCAL, port=self.port).difference_update_query(["host", "port"])

    def lead_to(self, upstream: Address, *, keep_open: bool = False) -> None:
        """Lead new connections elsewhere, and reset the open ones: what a failover of a service address does.

        With `keep_open` they stay with the server that they have, as they do when a name is given to another.
        """

        async def change() -> None:
            self._upstream = upstream
            if not keep_open:
                await self._drop_all()

        self._call(change)

    def ok(self) -> None:
        """Pass everything on again, what waited included."""

        async def change() -> None:
            self._delay_s, self._budget, self._resets = 0.0, None, False
            for flow in (self._flow, *(link.flow for link in self._links)):
                flow.set()
            await self._listen()

        self._call(change)

    def freeze(self) -> None:
        """Take connections and bytes, and pass nothing on: a hung server whose kernel still acknowledges."""
        self._call(self._flow.clear)

    def freeze_open(self) -> None:
        """Freeze the connections that are open; those that come are served: a host that hung and was replaced."""

        def change() -> None:
            for link in self._links:
                link.flow.clear()

        self._call(change)

    def reset(self) -> None:
        """Reset all connections, those that come too."""

        async def change() -> None:
            self._resets = True
            await self._drop_all()

        self._call(change)

    def drop(self) -> None:
        """Reset the connections that are open; those that come are served."""
        self._call(self._drop_all)

    def delay(self, seconds: float) -> None:
        """Hold each answer of the server back for so long."""

        def change() -> None:
            self._delay_s = seconds

        self._call(change)

    def cut_after(self, size_bytes: int) -> None:
        """Cut the connection on which the server has answered with so many bytes more; then pass on again.

        With 0 it is the next answer that is lost, whole, after the server has done what it was asked.
        """

        def change() -> None:
            self._budget = size_bytes

        self._call(change)

    def refuse(self) -> None:
        """Refuse connections as a host without a server does, and reset those that are open."""

        async def change() -> None:
            await self._close_server()
            self._placeholder = _bound(self.port)  # keeps the port, and refuses, since nobody listens
            await self._drop_all()

        self._call(change)

    def close(self) -> None:
        """End all connections and the thread. Twice is allowed."""

        async def end() -> None:
            await self._close_server()
            await self._drop_all()
            own = asyncio.current_task()
            tasks = [task for task in asyncio.all_tasks() if task is not own]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        if not self._loop.is_closed():
            self._call(end)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_WATCHDOG_S)
            self._loop.close()

    def _call(self, change: Callable[[], Awaitable[None] | None]) -> None:
        async def run() -> None:
            if (waiting := change()) is not None:
                await waiting

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(_WATCHDOG_S)

    async def _listen(self) -> None:
        if self._server is None:
            if self._placeholder is not None:
                self._placeholder.close()
                self._placeholder = None
            listening = _bound(self.port)
            self.port = listening.getsockname()[1]
            self._server = await asyncio.start_server(self._serve, sock=listening)

    async def _close_server(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None

    async def _drop_all(self) -> None:
        for link in tuple(self._links):
            link.reset()
        for _ in range(3):
            await asyncio.sleep(0)  # the loop closes what was aborted one turn later

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        link = _Link(reader, writer)
        self._links.add(link)
        try:
            if self._resets:
                link.reset()
                return
            # asyncio would log that closing cancels it
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._flow.wait()
                await link.run(self._upstream, self._filter)
        finally:
            self._links.discard(link)
            link.close()

    async def _filter(self, data: bytes, is_answer: bool) -> tuple[bytes, bool]:
        """Return what of it passes, once it may pass, and whether the connection goes on."""
        await self._flow.wait()
        if is_answer and self._delay_s:
            await asyncio.sleep(self._delay_s)
            await self._flow.wait()
        if not is_answer or self._budget is None:
            return data, True
        if len(data) <= self._budget:
            self._budget -= len(data)
            return data, True
        passes, self._budget = data[: self._budget], None
        return passes, False


class _Link:
    """One connection from a client, and its other half to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.flow = asyncio.Event()
        self.flow.set()
        self._reader = reader
        self._writers = [writer]

    async def run(self, upstream: Address, allow: _Filter) -> None:
        """Pass bytes on in both directions until one side ends or is cut."""
        if isinstance(upstream, str):
            reader, writer = await asyncio.open_unix_connection(upstream)
        else:
            reader, writer = await asyncio.open_connection(*upstream)
        self._writers.append(writer)
        ways = [
            asyncio.create_task(self._pump(self._reader, writer, allow, is_answer=False)),
            asyncio.create_task(self._pump(reader, self._writers[0], allow, is_answer=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, allow: _Filter, *, is_answer: bool
    ) -> None:
        goes_on = True
        while goes_on and (data := await reader.read(_CHUNK)):
            await self.flow.wait()
            passes, goes_on = await allow(data, is_answer)
            writer.write(passes)
            await writer.drain()

    def close(self) -> None:
        """Close both halves once what they have been given is sent."""
        for writer in self._writers:
            writer.close()

    def reset(self) -> None:
        """End both halves at once; the client sees a reset."""
        for writer in self._writers:
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            writer.transport.abort()


def _bound(port: int) -> socket.socket:
    """Return a socket that has the port, 0 for any, and does not listen yet."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((_LOCAL, port))
    return made
