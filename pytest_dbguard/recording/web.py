"""Gives each web request a scope of its own: wraps the entry points of web frameworks that are imported."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from pytest_dbguard.recording.current import serving
from pytest_dbguard.recording.recorder import Recorder
from pytest_dbguard.recording.scopes import Scope

_ASGI = (
    ("starlette.applications", "Starlette"),
    ("litestar.app", "Litestar"),
    ("quart.app", "Quart"),
    ("falcon.asgi.app", "App"),
)
_WSGI = (
    ("flask.app", "Flask"),
    ("pyramid.router", "Router"),
    ("bottle", "Bottle"),
    ("falcon.app", "App"),
)


class WebScopes:
    """Wraps `__call__` of the frameworks' application classes while attached; `detach` puts the originals back.

    A request is what one call of the outermost application serves, its background tasks included. The response of a
    WSGI application that is a generator is read after the call: what it sends then is recorded in the test's scope.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._wrapped: dict[tuple[str, str], tuple[Any, Callable[..., Any]]] = {}

    def attach(self) -> None:
        """Wrap the frameworks imported so far; call again to catch those imported later."""
        for names, wrap in ((_ASGI, self._asgi), (_WSGI, self._wsgi)):
            for module_name, class_name in names:
                self._wrap(module_name, class_name, wrap)

    def detach(self) -> None:
        """Put the frameworks' own methods back."""
        for application, original in self._wrapped.values():
            application.__call__ = original
        self._wrapped.clear()

    def _wrap(self, module_name: str, class_name: str, wrap: Callable[..., Any]) -> None:
        if (module_name, class_name) in self._wrapped:
            return
        application: Any = getattr(sys.modules.get(module_name), class_name, None)
        original = None if application is None else application.__dict__.get("__call__")
        if original is None:
            return
        self._wrapped[module_name, class_name] = (application, original)
        application.__call__ = wrap(original)

    def _scope(self, method: str, path: str) -> Scope | None:
        """Return a new scope for a request; None inside of one (mounted applications) or when nothing is recorded."""
        outer = self._recorder.scope
        if outer is None or self._recorder.request is not None:
            return None
        return Scope(outer.name, f"{method} {path}")

    def _asgi(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        async def dbguard_request(app: Any, scope: Any, receive: Any, send: Any) -> Any:
            request = None
            if scope.get("type") in ("http", "websocket"):
                request = self._scope(scope.get("method", "WEBSOCKET"), scope.get("path", ""))
            if request is None:
                return await original(app, scope, receive, send)
            with self._recorder.nested(request), serving(self._recorder, request):
                return await original(app, scope, receive, send)

        return dbguard_request

    def _wsgi(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def dbguard_request(app: Any, environ: Any, start_response: Any) -> Any:
            request = self._scope(environ.get("REQUEST_METHOD", "GET"), environ.get("PATH_INFO", ""))
            if request is None:
                return original(app, environ, start_response)
            with self._recorder.nested(request), serving(self._recorder, request):
                return original(app, environ, start_response)

        return dbguard_request
