"""What the middlewares of a process share: listeners that come and go once, nothing kept of what is over."""

from __future__ import annotations

import asyncio
import gc
import re

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

import pytest_dbguard
from pytest_dbguard import DbguardASGI
from pytest_dbguard.recording.scopes import Scope

LINE = "shop.py:7:13: DBG103 statement-in-loop: "
TIMING = re.compile(r'db;dur=\d+\.\d;desc="(\d+) quer(?:y|ies)"')


def client(app):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


def counted(response):
    """Return the number of statements that the header tells."""
    return int(TIMING.fullmatch(response.headers["server-timing"])[1])


@pytest.fixture
def api(shop, engine, async_engine):
    api = FastAPI()

    @api.get("/sync/{number}")
    def sync_endpoint(number: int):
        shop["names"](engine, range(number))

    @api.get("/async/{number}")
    async def async_endpoint(number: int):
        await shop["names_async"](async_engine, range(number))

    return api


async def call(app, path="/"):
    async def send(message):
        pass

    await app({"type": "http", "method": "GET", "path": path, "headers": []}, None, send)


async def test_listens_once_and_only_while_it_serves(api, tmp_path, listeners):
    before = listeners()
    app = DbguardASGI(api, root=tmp_path)
    assert listeners() == before
    async with client(app) as http:
        await http.get("/sync/1")
        once = listeners()
        await asyncio.gather(http.get("/async/1"), http.get("/sync/1"))
    assert listeners() == once > before
    with TestClient(app):
        pass
    assert listeners() == before
    async with client(app) as http:
        assert counted(await http.get("/sync/2")) == 2
    assert listeners() == once


async def test_two_applications_listen_once_together(api, tmp_path, listeners):
    before, apps = listeners(), [DbguardASGI(api, root=tmp_path) for _ in range(2)]
    for app in apps:
        async with client(app) as http:
            await http.get("/sync/1")
    once = listeners()
    with TestClient(apps[0]):
        pass
    assert listeners() == once > before
    with TestClient(apps[1]):
        pass
    assert listeners() == before


async def test_an_application_that_is_dropped_counts_no_longer(api, tmp_path, listeners):
    before, app = listeners(), DbguardASGI(api, root=tmp_path)
    async with client(app) as http:
        await http.get("/sync/1")
    del app, http
    assert listeners() > before
    async with client(DbguardASGI(api, root=tmp_path)) as http:
        await http.get("/sync/1")
    with TestClient(http._transport.app):
        pass
    assert listeners() == before


async def test_requests_under_way_are_heard_to_their_end(shop, engine, tmp_path, listeners):
    before, inside = listeners(), []

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await outer({"type": "lifespan"}, receive, send)
            inside.append(listeners())
            shop["quiet"](engine)
            await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        inside.append(dict(message["headers"])[b"Server-Timing"])

    outer = DbguardASGI(app, root=tmp_path)
    await outer({"type": "http"}, None, send)
    assert inside[0] > before
    assert TIMING.fullmatch(inside[1].decode())[1] == "1"
    assert listeners() == before


async def test_one_middleware_inside_of_another(api, records, tmp_path):
    api.add_middleware(DbguardASGI, root=tmp_path)
    async with client(DbguardASGI(api, root=tmp_path)) as http:
        assert counted(await http.get("/sync/3")) == 3
    assert len(records.lines) == 1


@pytest.mark.parametrize("is_outside", [True, False])
async def test_inside_of_a_recording_the_request_is_a_scope_of_it(api, records, tmp_path, is_outside):
    if is_outside:
        app = DbguardASGI(api, root=tmp_path)
    else:
        api.add_middleware(DbguardASGI, root=tmp_path)
        app = api
    with pytest_dbguard.record("block", root=tmp_path) as recording:
        async with client(app) as http:
            assert counted(await http.get("/sync/3")) == 3
    assert [(each.scope, each.count) for each in recording.recordings] == [("block", 0), ("GET /sync/3", 3)]
    assert records.events == []


async def test_a_recording_inside_of_a_request(shop, engine, records, tmp_path):
    counts = []

    async def app(scope, receive, send):
        with pytest_dbguard.record(root=tmp_path) as recording:
            shop["names"](engine, range(3))
        counts.append(recording.count)

    await call(DbguardASGI(app, root=tmp_path))
    assert counts == [3]
    assert [line.partition(": ")[2].startswith(LINE) for line in records.lines] == [True]


async def test_a_task_that_outlives_its_request_is_not_recorded(shop, engine, records, tmp_path):
    release, tasks = asyncio.Event(), []

    async def work():
        await release.wait()
        shop["names"](engine, range(50))

    async def app(scope, receive, send):
        tasks.append(asyncio.create_task(work()))

    middleware = DbguardASGI(app, root=tmp_path)
    await call(middleware)
    release.set()
    await tasks[0]
    [scope] = [each for each in scopes() if each.scope == "GET /"]
    assert scope.count == 0
    assert records.events == []


def scopes():
    gc.collect()
    return [each for each in gc.get_objects() if type(each) is Scope]


async def test_two_thousand_requests_leave_nothing_behind(shop, async_engine, engine, records, tmp_path):
    async def app(scope, receive, send):
        shop["names"](engine, range(3))
        if scope["path"].endswith("0"):
            await shop["names_async"](async_engine, range(2))
            with engine.connect() as connection:
                # a text of its own each time, as careless code sends
                connection.execute(text(f"SELECT {scope['path'][1:]} FROM item"))
        await send({"type": "http.response.start", "status": 200, "headers": []})

    middleware = DbguardASGI(app, root=tmp_path, max_queries=1)
    kept = []
    for number in range(2_000):
        await call(middleware, path=f"/{number}")
        if number in (499, 1_999):
            kept.append(ours())
    growth = {name: kept[1][name] - kept[0].get(name, 0) for name in kept[1] if kept[1][name] > kept[0].get(name, 0)}
    # one text and its facts for each text that was new, kept up to a limit; nothing for each request
    assert set(growth) <= {"StatementText", "Shape"}
    assert sum(growth.values()) <= 2 * 150


def ours():
    """Return the number of dbguard's objects that are alive, by class."""
    gc.collect()
    found = {}
    for each in gc.get_objects():
        kind = type(each)
        if str(kind.__module__).startswith("pytest_dbguard"):
            found[kind.__name__] = found.get(kind.__name__, 0) + 1
    return found


UNDER_PYTEST = """
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pytest_dbguard import DbguardASGI
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

import shop

@pytest.mark.parametrize("is_outside", [True, False])
def test_page(dbguard, caplog, is_outside):
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE item (id INTEGER PRIMARY KEY)"))
    api = FastAPI()
    api.get("/page")(lambda: shop.names(engine, [1, 2, 3]))
    if is_outside:
        app = DbguardASGI(api)
    else:
        api.add_middleware(DbguardASGI)
        app = api
    client = TestClient(app)
    before = dbguard.count
    assert client.get("/page").headers["server-timing"].endswith('desc="3 queries"')
    assert dbguard.count == before + 3
    assert caplog.records == []
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=str)
def test_under_pytest_the_request_is_a_scope_of_the_test(pytester, shop, tmp_path, workers):
    import json

    pytester.makepyfile(test_page=UNDER_PYTEST, shop=(tmp_path / "shop.py").read_text())
    flags = ("--dbguard", "--dbguard-report=json:report.json", "-p", "no:asyncio", *workers)
    result = pytester.runpytest_subprocess(*flags)
    result.assert_outcomes(passed=2)
    [finding] = json.loads((pytester.path / "report.json").read_text())["findings"]
    assert (finding["rule"], finding["scope"], finding["count"], len(finding["tests"])) == ("DBG103", "GET /page", 3, 2)
