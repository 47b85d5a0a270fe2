"""Middleware for WSGI applications: Flask, Django, Pyramid, Bottle, Falcon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from pytest_dbguard.dev_server.hub import Request
from pytest_dbguard.dev_server.middleware import Middleware
from pytest_dbguard.dev_server.timing import with_metric
from pytest_dbguard.dev_server.watcher import Watcher

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class DbguardWSGI(Middleware[WSGIApp]):
    """Judge each request of a WSGI application, log what is found, and send a `Server-Timing` header.

    For development: judging takes some milliseconds a request, after the response was sent. Nothing is refused
    elsewhere, so let your settings decide: `enabled=app.debug`.

    A request lasts until the server closes the response, so that what a generator sends while it is read is part of
    it; then it is judged. A call that raises is not judged: its error is what to look at.

    Inside of a test that dbguard records, or of a `record()` block, the request is a scope of that recording, which
    judges it; the header is sent all the same.

    The arguments are those of `Middleware`. The header tells what was recorded when the application starts its
    response: of a generator, what came before.
    """

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request."""
        watcher = self._watcher
        name = f"{environ.get('REQUEST_METHOD', 'GET')} {environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
        request = None if watcher is None else watcher.begin(name)
        if watcher is None or request is None:
            return self.app(environ, start_response)
        if self._server_timing:
            start_response = partial(_start, start_response, watcher, request)
        try:
            with request.entered():
                body = self.app(environ, start_response)
        except BaseException:
            watcher.end(request, judge=False)
            raise
        if not request.is_ours:
            return body
        return (_SizedBody if hasattr(body, "__len__") else _Body)(body, watcher, request)

    def close(self) -> None:
        """Stop to listen once no request is under way; the next request begins anew."""
        if self._watcher is not None:
            self._watcher.close()


def _start(
    start_response: Callable[..., Any],
    watcher: Watcher,
    request: Request,
    status: str,
    headers: list[tuple[str, str]],
    *error: Any,
) -> Any:
    changed = watcher.attempt("adding a header", lambda: with_metric(headers, request.scope))
    return start_response(status, headers if changed is None else changed, *error)


class _Body:
    """A response's body: what is sent while it is read belongs to the request, which ends when it is closed."""

    def __init__(self, body: Iterable[bytes], watcher: Watcher, request: Request) -> None:
        self._body = body
        self._chunks: Iterator[bytes] | None = None
        self._watcher = watcher
        self._request: Request | None = request

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._request is None:
            return self._next()
        with self._request.entered():
            return self._next()

    def _next(self) -> bytes:
        if self._chunks is None:
            self._chunks = iter(self._body)
        return next(self._chunks)

    def close(self) -> None:
        """Close the application's body, then judge; servers call this when the last byte is sent."""
        request, self._request = self._request, None
        close = getattr(self._body, "close", None)
        is_over = False
        try:
            if close is not None and request is not None:
                with request.entered():
                    close()
            elif close is not None:
                close()
            is_over = True
        finally:
            if request is not None:
                self._watcher.end(request, judge=is_over)


class _SizedBody(_Body):
    """A body whose number of chunks is known: of a single one servers tell the length."""

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]
