"""Web requests: each has a scope of its own, whatever the framework, and the frameworks get their methods back."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import flask
import httpx
import pytest
from application import Customer, Order
from fastapi import BackgroundTasks, FastAPI, WebSocket
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

from pytest_dbguard.recording.scopes import Scope
from pytest_dbguard.recording.web import WebScopes


def ask(engine, times=1):
    with Session(engine) as session:
        for _ in range(times):
            session.execute(select(Customer.name)).all()


async def ask_async(engine):
    async with AsyncSession(engine) as session:
        await session.execute(select(Customer.name))


@pytest.fixture
def web(watch):
    web = WebScopes(watch.recorder)
    web.attach()
    yield web
    web.detach()


def requests(watch):
    return [(scope.scope, scope.count) for scope in watch.scope.nested]


@pytest.fixture
def api(engine, async_engine):
    api = FastAPI()

    @api.get("/sync/{number}")
    def sync_endpoint(number: int):
        ask(engine, number)

    @api.post("/async")
    async def async_endpoint():
        await ask_async(async_engine)

    @api.get("/later")
    def later(tasks: BackgroundTasks):
        tasks.add_task(ask, engine, 3)

    @api.get("/error")
    def error():
        ask(engine)
        raise KeyError("by the application")

    @api.websocket("/talk")
    async def talk(socket: WebSocket):
        await socket.accept()
        await ask_async(async_engine)
        text = await socket.receive_text()
        await ask_async(async_engine)
        await socket.send_text(text)

    async def mounted(request):
        await ask_async(async_engine)
        return PlainTextResponse("fine")

    api.mount(
        "/inner", Starlette(routes=[Route("/page", mounted), Mount("/deep", Starlette(routes=[Route("/x", mounted)]))])
    )

    async def rows():
        async with AsyncSession(async_engine) as session:
            for row in (await session.execute(select(Order.id))).all():
                yield f"{row.id}\n"

    @api.get("/stream")
    def stream():
        return StreamingResponse(rows())

    return api


def test_each_request_has_a_scope(engine, watch, web, api):
    ask(engine)
    with TestClient(api) as client:
        client.get("/sync/2").raise_for_status()
        client.get("/sync/1")
        client.post("/async")
        client.get("/later")
        client.get("/nowhere")
        assert client.get("/stream").text == "".join(f"{n}\n" for n in range(1, 9))
    ask(engine)
    assert requests(watch) == [
        ("GET /sync/2", 2),
        ("GET /sync/1", 1),
        ("POST /async", 1),
        ("GET /later", 3),
        ("GET /nowhere", 0),
        ("GET /stream", 1),
    ]
    assert watch.count == 2
    assert {scope.name for scope in watch.scope.nested} == {"the test"}


def test_requests_in_a_block_are_the_blocks(watch, web, api):
    with watch.recorder.nested(Scope("block", "block")) as block:
        TestClient(api).get("/sync/2")
    assert [(each.scope, each.count) for each in block.recordings()] == [("block", 0), ("GET /sync/2", 2)]
    assert watch.scope.recording().total_count == 2


def test_mounted_applications_serve_one_request(watch, web, api):
    client = TestClient(api)
    assert client.get("/inner/page").text == client.get("/inner/deep/x").text == "fine"
    assert requests(watch) == [("GET /inner/page", 1), ("GET /inner/deep/x", 1)]


def test_web_sockets(watch, web, api):
    with TestClient(api).websocket_connect("/talk") as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello"
    assert requests(watch) == [("WEBSOCKET /talk", 2)]


def test_errors_go_on(engine, watch, web, api):
    with pytest.raises(KeyError):
        TestClient(api).get("/error")
    ask(engine)
    assert requests(watch) == [("GET /error", 1)]
    assert watch.count == 1


async def test_requests_at_the_same_time_do_not_mix(watch, web, async_engine):
    api = FastAPI()
    barrier = asyncio.Barrier(3)

    @api.get("/{number}")
    async def endpoint(number: int):
        for _ in range(number):
            await ask_async(async_engine)
        await barrier.wait()
        await ask_async(async_engine)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://test") as client:
        await asyncio.gather(*(client.get(f"/{number}") for number in (1, 2, 3)))
    assert sorted(requests(watch)) == [("GET /1", 2), ("GET /2", 3), ("GET /3", 4)]
    assert watch.count == 0


async def test_a_request_within_a_request(watch, web, async_engine, api):
    """An application that calls another one in process: one request, as for the one who asked."""
    outer = FastAPI()

    @outer.get("/outer")
    async def endpoint():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://test") as client:
            await client.post("/async")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(outer), base_url="http://test") as client:
        await client.get("/outer")
    assert requests(watch) == [("GET /outer", 1)]


@pytest.fixture
def site(engine):
    site = flask.Flask("site")

    @site.get("/<int:number>")
    def page(number):
        ask(engine, number)
        return "fine"

    @site.get("/stream")
    def stream():
        def rows():
            ask(engine)
            yield "row"

        return flask.Response(rows())

    return site


def test_flask(engine, watch, web, site):
    client = site.test_client()
    assert client.get("/2").text == "fine"
    assert client.get("/1?secret=value").text == "fine"
    assert client.get("/nowhere").status_code == 404
    ask(engine)
    assert requests(watch) == [("GET /2", 2), ("GET /1", 1), ("GET /nowhere", 0)]
    assert watch.count == 1


def test_what_flask_sends_after_the_call_is_the_tests(watch, web, site):
    assert site.test_client().get("/stream").text == "row"
    assert watch.scope.recording().total_count == 1


def test_flask_requests_in_threads_do_not_mix(engine, watch, web):
    site = flask.Flask("site")
    barrier = threading.Barrier(3)

    @site.get("/<int:number>")
    def page(number):
        barrier.wait()
        ask(engine, number)
        return "fine"

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda number: site.test_client().get(f"/{number}"), (1, 2, 3)))
    assert sorted(requests(watch)) == [("GET /1", 1), ("GET /2", 2), ("GET /3", 3)]


def test_attach_twice_wraps_once_and_detach_restores(watch):
    originals = (Starlette.__call__, flask.Flask.__call__)
    web = WebScopes(watch.recorder)
    web.attach()
    wrapped = (Starlette.__call__, flask.Flask.__call__)
    web.attach()
    assert (Starlette.__call__, flask.Flask.__call__) == wrapped
    assert all(one is not other for one, other in zip(wrapped, originals, strict=True))
    assert wrapped[0].__name__ == originals[0].__name__
    web.detach()
    web.detach()
    assert (Starlette.__call__, flask.Flask.__call__) == originals


def test_frameworks_that_are_imported_later(watch, monkeypatch):
    """Attaching again catches them; those that are not imported are not imported by us."""
    import sys

    module = sys.modules["flask.app"]
    monkeypatch.delitem(sys.modules, "flask.app")
    original = flask.Flask.__call__
    web = WebScopes(watch.recorder)
    web.attach()
    assert flask.Flask.__call__ is original
    assert "flask.app" not in sys.modules
    monkeypatch.setitem(sys.modules, "flask.app", module)
    web.attach()
    assert flask.Flask.__call__ is not original
    web.detach()
    assert flask.Flask.__call__ is original


def test_nothing_is_recorded_without_a_scope(watch, web, site):
    watch.recorder.close()
    assert site.test_client().get("/1").text == "fine"
    assert requests(watch) == []


def test_a_paused_test_pauses_its_requests(watch, web, site):
    watch.scope.is_paused = True
    site.test_client().get("/1")
    assert requests(watch) == [("GET /1", 0)]


def test_stacks_of_a_request_end_at_the_request(watch, web, site):
    site.test_client().get("/1")
    [statement] = watch.scope.nested[0].recording().statements
    functions = [frame.info.function.rsplit(".", 1)[-1] for frame in statement.stack.frames]
    assert functions == ["ask", "page"]
    assert statement.stack.is_rooted
