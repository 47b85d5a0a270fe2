"""Clients of a web application read their own writes: by cookie and by header, under ASGI and WSGI."""

from __future__ import annotations

from http.cookies import SimpleCookie
from types import SimpleNamespace

import httpx
import pytest
from fastapi import Depends, FastAPI
from flask import Flask
from flask import Response as FlaskResponse
from sqlalchemy import delete, func, select

from pytest_dbguard.runtime import DatabaseService, DatabaseSettings
from pytest_dbguard.runtime.routing import (
    LATEST,
    AsyncRoutingSession,
    Position,
    PositionASGI,
    PositionWSGI,
    RoutingSession,
    current_position,
)
from tests.runtime.routing.small_manager import Order

COUNT = select(func.count()).select_from(Order)
FORGED = ["", "x", "1-1", "1-1-zz", "1-1-" + "f" * 17, "9" * 100_000, "1-1-1\r\nX-Evil: 1", "２-1-1", "-1-1-1"]


@pytest.fixture
def manager(small, replica):
    return small(wait_s=0.5)


@pytest.fixture
def app(manager):
    app = FastAPI()

    def session():
        with RoutingSession(manager) as session:
            yield session
            session.commit()

    @app.post("/sync")
    def write_sync():
        with RoutingSession(manager) as session:
            session.execute(delete(Order))
            session.commit()

    @app.post("/async")
    async def write_async():
        async with AsyncRoutingSession(manager) as session:
            await session.execute(delete(Order))
            await session.commit()

    @app.post("/late")
    def write_late(session: RoutingSession = Depends(session)):
        session.execute(delete(Order))

    @app.post("/failed")
    def write_nothing():
        with RoutingSession(manager) as session:
            session.execute(delete(Order))

    @app.get("/sync")
    def read_sync():
        with RoutingSession(manager) as session:
            return session.scalar(COUNT)

    @app.get("/async")
    async def read_async():
        async with AsyncRoutingSession(manager) as session:
            return await session.scalar(COUNT)

    app.add_middleware(PositionASGI, manager=manager)
    return app


def client_of(app):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop")


@pytest.mark.parametrize("read", ["/sync", "/async"])
@pytest.mark.parametrize("write", ["/sync", "/async", "/late"])
async def test_the_next_request_of_a_client_sees_its_write(app, manager, replica, write, read):
    replica.pause()
    async with client_of(app) as client, client_of(app) as other:
        await client.post(write)
        assert (await client.get(read)).json() == 0
        assert (await other.get(read)).json() == 2
        replica.resume()
        replica.catch_up()
        manager.sent.clear()
        assert (await client.get(read)).json() == 0
    assert manager.where() == ["readonly-1"]


async def test_the_header_does_what_the_cookie_does(app, replica):
    replica.pause()
    async with client_of(app) as client:
        token = (await client.post("/sync")).headers["X-Position"]
        client.cookies.clear()
        assert (await client.get("/sync", headers={"X-Position": token})).json() == 0
        assert (await client.get("/sync")).json() == 2


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_cookie_is_for_the_server_alone(app, scheme):
    async with client_of(app) as client:
        response = await client.post(f"{scheme}://shop/sync")
    cookie = SimpleCookie(response.headers["set-cookie"])["position"]
    assert Position.parse(cookie.value).token() == response.headers["x-position"]
    attributes = (cookie["httponly"], cookie["samesite"], cookie["max-age"], cookie["path"], cookie["secure"])
    assert attributes == (True, "Lax", "60", "/", True if scheme == "https" else "")


@pytest.mark.parametrize(("method", "path"), [("GET", "/sync"), ("GET", "/async"), ("POST", "/failed")])
async def test_who_has_not_written_gets_no_cookie(app, method, path):
    async with client_of(app) as client:
        response = await client.request(method, path, headers={"X-Position": "1-1-1"})
    assert "set-cookie" not in response.headers
    assert "x-position" not in response.headers


async def test_a_write_that_has_not_ended_is_waited_for_by_the_next_request(app):
    async with client_of(app) as client:
        assert (await client.post("/late")).headers["x-position"] == LATEST.token()


@pytest.mark.parametrize("token", FORGED)
async def test_what_is_no_token_is_ignored(app, manager, token):
    scope = {"type": "http", "method": "GET", "path": "/sync", "query_string": b"", "http_version": "1.1"}
    sent = token.encode("utf-8", "replace")
    headers = [(b"x-position", sent), (b"cookie", b"a=b; position=" + sent + b"; position")]
    messages = []

    async def send(message):
        messages.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    await app({**scope, "headers": headers}, receive, send)
    assert messages[1]["body"] == b"2"
    assert manager.where() == ["readonly-1"]


async def test_a_position_that_does_not_exist_costs_its_client_only_a_read_of_primary_at_the_most(app, manager):
    forged = Position(2**63, timeline=2**31).token()
    async with client_of(app) as client:
        assert (await client.get("/sync", headers={"X-Position": forged})).json() == 2
        assert (await client.get("/sync")).json() == 2
    assert manager.where()[-1] == "readonly-1"


@pytest.fixture
def stopped(tmp_path):
    """A service that has been started and stopped."""
    service = DatabaseService(DatabaseSettings(profile="test", url=f"sqlite:///{tmp_path / 'one.db'}"))
    with service:
        pass
    return service


async def test_what_asks_no_database_is_served_when_that_has_stopped(stopped):
    app = FastAPI()
    app.get("/live")(lambda: "alive")
    app.add_middleware(PositionASGI, manager=lambda: stopped)
    async with client_of(app) as client:
        assert (await client.get("/live")).json() == "alive"


def test_what_asks_no_database_is_served_under_wsgi_when_that_has_stopped(stopped):
    app = Flask("alive")
    app.get("/live")(lambda: "alive")
    app.wsgi_app = PositionWSGI(app.wsgi_app, lambda: stopped)
    assert app.test_client().get("/live").text == "alive"


async def test_what_is_no_request_passes(manager):
    seen = []

    async def app(scope, receive, send):
        seen.append((scope["type"], current_position.get() is not None))

    for kind in ("lifespan", "websocket"):
        await PositionASGI(app, lambda: manager)({"type": kind, "headers": []}, None, None)
    assert seen == [("lifespan", False), ("websocket", True)]


@pytest.fixture(params=["manager", "function", "service"])
def flask(request, manager):
    sources = {"manager": manager, "function": lambda: manager, "service": lambda: SimpleNamespace(manager=manager)}
    app = Flask("shop")

    @app.post("/write")
    def write():
        with RoutingSession(manager) as session:
            session.execute(delete(Order))
            session.commit()
        return ""

    @app.get("/read")
    def read():
        with RoutingSession(manager) as session:
            return str(session.scalar(COUNT))

    @app.get("/stream")
    def stream():
        def parts():
            with RoutingSession(manager) as session:
                yield str(session.scalar(COUNT))

        return FlaskResponse(parts())

    app.wsgi_app = PositionWSGI(app.wsgi_app, sources[request.param])
    return app


@pytest.mark.parametrize("path", ["/read", "/stream"])
def test_the_next_request_of_a_client_sees_its_write_under_wsgi(flask, replica, path):
    replica.pause()
    client, other = flask.test_client(), flask.test_client()
    response = client.post("/write", base_url="https://shop")
    assert response.headers["Set-Cookie"].endswith("; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure")
    assert client.get(path, base_url="https://shop").text == "0"
    assert other.get(path, headers={"X-Position": response.headers["X-Position"]}).text == "0"
    assert other.get(path).text == "2"
    assert current_position.get() is None


def test_a_body_that_the_server_knows_better_stays_what_it_is(manager):
    class Wrapper:
        pass

    for body in ([b"x"], Wrapper()):
        app = PositionWSGI(lambda environ, start, body=body: body, manager)
        assert app({"wsgi.file_wrapper": Wrapper}, None) is body


def test_a_body_is_closed_in_its_context(manager):
    seen = []

    class Body:
        def __iter__(self):
            return iter([b"x"])

        def close(self):
            seen.append(current_position.get() is not None)

    body = PositionWSGI(lambda environ, start: Body(), manager)({}, None)
    assert list(body) == [b"x"]
    body.close()
    assert seen == [True]


def test_two_databases_have_positions_of_their_own(small):
    from pytest_dbguard.runtime.routing import position_scope
    from pytest_dbguard.runtime.routing.positions import trail_of

    one, two = small(), small()
    with position_scope(one, Position(1)) as first, position_scope(two, Position(2)) as second:
        assert (trail_of(one), trail_of(two)) == (first, second)
        with RoutingSession(one) as session:
            session.execute(delete(Order))
            session.commit()
        assert second.told is None
        assert first.told == session.position
