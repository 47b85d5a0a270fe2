"""Takes a client's position from its request and gives it back after a write: for ASGI and WSGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextvars import Context, copy_context
from typing import Any

from pytest_dbguard.runtime.errors import NotStarted
from pytest_dbguard.runtime.routing.positions import Position, Trail, begin_trail, position_scope
from pytest_dbguard.runtime.routing.seams import RoutedManager

_Receive = Callable[[], Awaitable[Any]]
_Send = Callable[[Any], Awaitable[None]]
Source = RoutedManager | Callable[[], Any]
"""A manager, or what returns one or a service, asked with each request: `get_database_service`."""


class PositionASGI:
    """ASGI middleware: each client reads its own writes, whichever process and replica it meets.

    After a write the response has the position in a cookie, and in a header for clients without cookies; the client's
    next requests read from replicas that have reached it. What a client sends it may have made up: it is waited for
    no longer than `routing.wait_s`, and concerns that client's reads alone. Where a transaction that has written is
    still open when the response begins (FastAPI ends dependencies after it), the position is that of the next request.
    """

    def __init__(self, app: Callable[[Any, Any, Any], Awaitable[None]], manager: Source) -> None:
        """Take the application, and a manager or what returns one: `app.add_middleware(PositionASGI, manager=...)`."""
        self._app = app
        self._source = manager

    async def __call__(self, scope: Any, receive: _Receive, send: _Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        manager = _manager_of(self._source)
        if manager is None:
            await self._app(scope, receive, send)
            return
        messages = _Messages(manager)
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        with position_scope(manager, messages.given(headers)) as trail:

            async def send_with_position(message: Any) -> None:
                if message["type"] == "http.response.start":
                    more = messages.told(trail, is_secure=scope.get("scheme") == "https")
                    ours = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in more]
                    message = {**message, "headers": [*message.get("headers", ()), *ours]}
                await send(message)

            await self._app(scope, receive, send_with_position)


class PositionWSGI:
    """WSGI middleware: each client reads its own writes, whichever process and replica it meets.

    Works as `PositionASGI` does. The application runs in a copy of the context, together with the body that it yields.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], manager: Source) -> None:
        """Take the application, and a manager or what returns one: `app.wsgi_app = PositionWSGI(app.wsgi_app, ...)`."""
        self._app = app
        self._source = manager

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        manager = _manager_of(self._source)
        if manager is None:
            return self._app(environ, start_response)
        messages = _Messages(manager)
        trail = Trail(messages.given(_sent(environ)))

        def start_with_position(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            more = messages.told(trail, is_secure=environ.get("wsgi.url_scheme") == "https")
            return start_response(status, [*headers, *more], *error)

        context = copy_context()
        context.run(begin_trail, manager, trail)
        body = context.run(self._app, environ, start_with_position)
        wrapper = environ.get("wsgi.file_wrapper")
        # what the server looks at more closely must stay what it is
        if isinstance(body, list | tuple) or (isinstance(wrapper, type) and isinstance(body, wrapper)):
            return body
        return _Body(body, context)


class _Body:
    """A body whose parts are made in the context of their request."""

    def __init__(self, body: Iterable[bytes], context: Context) -> None:
        self._body = body
        self._context = context
        self._parts: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self._context.run(self._next)

    def close(self) -> None:
        """End the request."""
        close = getattr(self._body, "close", None)
        if close is not None:
            self._context.run(close)

    def _next(self) -> bytes:
        if self._parts is None:
            self._parts = iter(self._body)
        return next(self._parts)


class _Messages:
    """What is read from requests, and written into responses."""

    def __init__(self, manager: RoutedManager) -> None:
        options = manager.settings.routing
        self._cookie = options.cookie
        self._header = options.header
        self._max_age_s = round(options.token_max_age_s)

    def given(self, headers: Iterable[tuple[str, str]]) -> Position | None:
        """Return the latest position that a request names; its headers' names are in lower case."""
        positions = (Position.parse(token) for token in self._tokens(headers))
        return max((position for position in positions if position is not None), default=None)

    def told(self, trail: Trail, *, is_secure: bool) -> list[tuple[str, str]]:
        """Return the headers that tell a client of its write; none after a request that did not write."""
        position = trail.told
        if position is None:
            return []
        token = position.token()
        attributes = f"Max-Age={self._max_age_s}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if is_secure else ''}"
        cookie = f"{self._cookie}={token}; {attributes}"
        return [(self._header, token), ("Set-Cookie", cookie)]

    def _tokens(self, headers: Iterable[tuple[str, str]]) -> Iterator[str]:
        header = self._header.lower()
        for name, value in headers:
            if name == header:
                yield value.strip()
            elif name == "cookie" and self._cookie in value:
                parts = (part.strip().partition("=") for part in value.split(";"))
                yield from (token.strip('"') for cookie, _, token in parts if cookie == self._cookie)


def _sent(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    prefix = "HTTP_"
    for name, value in environ.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix).replace("_", "-").lower(), value


def _manager_of(source: Source) -> RoutedManager | None:
    """Return the manager; None once its service has stopped: nobody writes then, and what asks no database goes on."""
    found: Any = source() if callable(source) else source
    try:
        manager: RoutedManager = getattr(found, "manager", found)
    except NotStarted:
        return None
    return manager
