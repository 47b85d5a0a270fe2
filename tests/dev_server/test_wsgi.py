"""The WSGI middleware: logs what a request does wrong, adds a header, and is not noticed otherwise."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from wsgiref.handlers import SimpleHandler
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import flask
import pytest

import pytest_dbguard
from pytest_dbguard import DbguardWSGI

LINE = "shop.py:7:13: DBG103 statement-in-loop: "
TIMING = re.compile(r'db;dur=\d+\.\d;desc="(\d+) quer(?:y|ies)"')


def counted(value):
    """Return the number of statements that the header tells."""
    return int(TIMING.fullmatch(value)[1])


def serve(app, path="/", **environ):
    """Serve a request as a server does; return status, headers and body."""
    started = []

    def start_response(status, headers, error=None):
        started[:] = [status, dict(headers)]
        return lambda data: None

    environ = {"SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "", **environ}
    setup_testing_defaults(environ)
    body = app(environ, start_response)
    try:
        chunks = b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    return (*started, chunks)


@pytest.fixture
def site(shop, engine, tmp_path):
    site = flask.Flask("site")

    @site.get("/<int:number>")
    def page(number):
        shop["names"](engine, range(number))
        return "fine"

    @site.get("/stream")
    def stream():
        def rows():
            shop["names"](engine, range(4))
            yield "row"

        shop["quiet"](engine)
        return flask.Response(flask.stream_with_context(rows()), headers={"server-timing": "render;dur=3"})

    @site.get("/error")
    def error():
        shop["names"](engine, range(3))
        raise KeyError

    site.wsgi_app = DbguardWSGI(site.wsgi_app, root=tmp_path)
    return site


def test_flask(site, records):
    client = site.test_client()
    assert counted(client.get("/3", buffered=True).headers["Server-Timing"]) == 3
    assert client.get("/2", buffered=True).text == "fine"
    assert client.get("/nowhere", buffered=True).status_code == 404
    [line] = records.lines
    assert line.startswith(f"GET /3: {LINE}")


def test_what_a_generator_sends_belongs_to_the_request(site, records):
    with site.test_client() as client:
        response = client.get("/stream")
        assert (response.text, flask.request.path) == ("row", "/stream")
    response.close()
    value = response.headers.get_all("Server-Timing")
    assert re.fullmatch("render;dur=3, " + TIMING.pattern, value[0])[1] == "1"
    assert [line.partition(": ")[0] for line in records.lines] == ["GET /stream"]


def test_an_answered_error_is_judged_as_any_answer(site, records):
    assert site.test_client().get("/error", buffered=True).status_code == 500
    assert [line.partition(": ")[0] for line in records.lines] == ["GET /error"]


def test_an_error_passes_and_is_not_judged(site, records):
    site.testing = True
    with pytest.raises(KeyError):
        site.test_client().get("/error")
    assert records.events == []
    assert counted(site.test_client().get("/1").headers["Server-Timing"]) == 1


def chunked(shop, engine, events, error=None):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            yield b"a"
            shop["names"](engine, range(3))
            if error is not None:
                raise error
            yield b"b"
        finally:
            events.append(("closed", ""))

    return app


def test_judges_after_the_body_is_closed(shop, engine, records, tmp_path):
    app = validator(DbguardWSGI(validator(chunked(shop, engine, records.events)), root=tmp_path))
    status, headers, body = serve(app)
    assert (status, body, counted(headers["Server-Timing"])) == ("200 OK", b"ab", 0)
    assert [kind for kind, _ in records.events] == ["closed", "WARNING", "DEBUG"]


def test_an_error_in_a_generator_passes(shop, engine, records, tmp_path):
    app = DbguardWSGI(chunked(shop, engine, records.events, KeyError("theirs")), root=tmp_path)
    with pytest.raises(KeyError, match="theirs"):
        serve(app)
    assert records.events[0] == ("closed", "")


def test_an_error_while_closing_passes(records, tmp_path):
    class Body(list):
        def close(self):
            raise KeyError("theirs")

    def app(environ, start_response):
        start_response("200 OK", [])
        return Body([b"a"])

    with pytest.raises(KeyError, match="theirs"):
        serve(DbguardWSGI(app, root=tmp_path))
    assert records.events == []


def test_a_body_that_is_not_read_is_judged_when_closed(shop, engine, records, tmp_path):
    def app(environ, start_response):
        shop["names"](engine, range(3))
        start_response("304 Not Modified", [])
        return [b""]

    environ = {}
    setup_testing_defaults(environ)
    body = DbguardWSGI(app, root=tmp_path)(environ, lambda *arguments: None)
    assert records.events == []
    body.close()
    body.close()
    assert len(records.lines) == 1


@pytest.mark.parametrize("is_list", [True, False])
def test_servers_tell_the_length_of_a_single_chunk(tmp_path, is_list):
    import io

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"four"] if is_list else iter([b"four"])

    sent = []
    for each in (app, DbguardWSGI(app, root=tmp_path, server_timing=False)):
        out = io.BytesIO()
        environ = {}
        setup_testing_defaults(environ)
        handler = SimpleHandler(io.BytesIO(), out, io.StringIO(), environ)
        handler.run(each)
        sent.append(re.sub(rb"Date: .*", b"", out.getvalue()))
    assert (b"Content-Length: 4" in sent[0]) is is_list
    assert sent[0] == sent[1]


def test_start_response_may_be_called_again_with_an_error(tmp_path):
    import sys

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            raise KeyError
        except KeyError:
            start_response("500 Error", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"sorry"]

    status, headers, body = serve(DbguardWSGI(app, root=tmp_path))
    assert (status, counted(headers["Server-Timing"]), body) == ("500 Error", 0, b"sorry")


def test_disabled_passes_untouched():
    seen = []

    def app(*arguments):
        seen.append(arguments)
        return seen

    environ, start = {}, object()
    assert DbguardWSGI(app, enabled=False)(environ, start) is seen
    assert seen[0][0] is environ
    assert seen[0][1] is start


def test_threads_do_not_mix(shop, engine, records, tmp_path):
    barrier = threading.Barrier(4)

    def app(environ, start_response):
        number = int(environ["PATH_INFO"][1:])
        barrier.wait()
        shop["names"](engine, range(number))
        barrier.wait()
        start_response("200 OK", [])
        return [b""]

    middleware = DbguardWSGI(app, root=tmp_path, every_request=True)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: serve(middleware, f"/{number}"), range(4)))
    assert [counted(headers["Server-Timing"]) for _, headers, _ in answers] == [0, 1, 2, 3]
    assert {line.partition(": ")[0] for line in records.lines} == {"GET /2", "GET /3"}


def test_mounted_below_a_path(shop, engine, records, tmp_path):
    def app(environ, start_response):
        shop["names"](engine, range(2))
        start_response("200 OK", [])
        return []

    serve(DbguardWSGI(app, root=tmp_path), "/page", SCRIPT_NAME="/shop")
    assert records.lines[0].startswith("GET /shop/page: ")


def test_close_removes_the_listeners(shop, engine, tmp_path, listeners):
    def app(environ, start_response):
        shop["names"](engine, range(2))
        start_response("200 OK", [])
        return []

    before, middleware = listeners(), DbguardWSGI(app, root=tmp_path)
    serve(middleware)
    assert listeners() > before
    middleware.close()
    middleware.close()
    assert listeners() == before
    assert counted(serve(middleware)[1]["Server-Timing"]) == 2
    middleware.close()
    DbguardWSGI(app, enabled=False).close()


def test_a_body_that_is_never_closed_keeps_nothing(shop, engine, tmp_path, listeners):
    def app(environ, start_response):
        start_response("200 OK", [])
        return []

    before, middleware = listeners(), DbguardWSGI(app, root=tmp_path)
    environ = {}
    setup_testing_defaults(environ)
    body = middleware(environ, lambda *arguments: None)
    middleware.close()
    assert listeners() > before
    del body
    middleware.close()
    assert listeners() == before


def test_inside_of_a_recording_the_request_is_a_scope_of_it(site, records, tmp_path):
    outer = DbguardWSGI(site, root=tmp_path)
    with pytest_dbguard.record("block", root=tmp_path) as recording:
        _, headers, _ = serve(outer, "/3")
    assert counted(headers["Server-Timing"]) == 3
    assert [(each.scope, each.count) for each in recording.recordings] == [("block", 0), ("GET /3", 3)]
    assert records.events == []
