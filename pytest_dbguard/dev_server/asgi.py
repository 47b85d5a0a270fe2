"""Middleware for ASGI applications: FastAPI, Starlette, Litestar, Quart, Falcon, Django."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pytest_dbguard.dev_server.hub import Request
from pytest_dbguard.dev_server.middleware import Middleware
from pytest_dbguard.dev_server.timing import with_metric
from pytest_dbguard.dev_server.watcher import Watcher
from pytest_dbguard.recording.scopes import Scope

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class DbguardASGI(Middleware[ASGIApp]):
    """Judge each HTTP request of an ASGI application, log what is found, and send a `Server-Timing` header.

    For development: judging takes some milliseconds a request, in the event loop, after the response was sent. Nothing
    is refused elsewhere, so let your settings decide: `enabled=settings.debug`.

    A request is what one call of the application does, its background tasks included; it is judged when the call
    returns. A call that raises before its response is complete is not judged: its error is what to look at. Websockets
    and lifespan pass through. When the server shuts down (lifespan), the listeners are removed.

    Inside of a test that dbguard records, or of a `record()` block, the request is a scope of that recording, which
    judges it; the header is sent all the same.

    The arguments are those of `Middleware`. The header tells what was recorded when it is sent: of a streaming
    response, what came before the first byte.
    """

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve a request."""
        if self._watcher is None:
            await self.app(scope, receive, send)
        elif scope.get("type") == "http":
            await self._serve(self._watcher, scope, receive, send)
        elif scope.get("type") == "lifespan":
            try:
                await self.app(scope, receive, send)
            finally:
                self._watcher.close()
        else:
            await self.app(scope, receive, send)

    async def _serve(self, watcher: Watcher, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        request = watcher.begin(f"{scope.get('method', 'GET')} {scope.get('path', '')}")
        if request is None:
            await self.app(scope, receive, send)
            return
        response = _Response(send, request, watcher, self._server_timing)
        is_over = False
        try:
            with request.entered():
                await self.app(scope, receive, response.send)
            is_over = True
        finally:
            watcher.end(request, judge=is_over or response.is_complete)


class _Response:
    """Sends a response on, with the header added; notes when its last byte is sent."""

    def __init__(self, send: Send, request: Request, watcher: Watcher, server_timing: bool) -> None:
        self._send = send
        self._scope: Scope = request.scope
        self._watcher = watcher
        self._server_timing = server_timing
        self.is_complete = False

    async def send(self, message: Message) -> None:
        """Send one message."""
        kind = message.get("type")
        if kind == "http.response.start" and self._server_timing:
            message = self._watcher.attempt("adding a header", lambda: _timed(message, self._scope)) or message
        await self._send(message)
        if kind == "http.response.body" and not message.get("more_body", False):
            self.is_complete = True


def _timed(message: Message, scope: Scope) -> Message:
    headers = [(bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in message["headers"]]
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in with_metric(headers, scope)]
    return {**message, "headers": encoded}
