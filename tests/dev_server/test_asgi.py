"""The ASGI middleware: logs what a request does wrong, adds a header, and is not noticed otherwise."""

from __future__ import annotations

import asyncio
import logging
import re

import httpx
import pytest
from fastapi import BackgroundTasks, FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse, StreamingResponse

from pytest_dbguard import DbguardASGI
from pytest_dbguard.analysis.judge import Judge
from pytest_dbguard.core.errors import ConfigError

LINE = "shop.py:7:13: DBG103 statement-in-loop: "
TIMING = re.compile(r'db;dur=\d+\.\d;desc="(\d+) quer(?:y|ies)"')


def client(app):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://test")


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

    @api.get("/later")
    def later(tasks: BackgroundTasks):
        tasks.add_task(shop["names"], engine, range(3))

    @api.get("/error")
    def error():
        shop["names"](engine, range(3))
        raise KeyError("by the application")

    @api.get("/timed")
    def timed():
        shop["quiet"](engine)
        return PlainTextResponse("fine", headers={"Server-Timing": "render;dur=3"})

    @api.get("/stream")
    def stream():
        def rows():
            shop["names"](engine, range(4))
            yield "row"

        shop["quiet"](engine)
        return StreamingResponse(rows())

    @api.websocket("/talk")
    async def talk(socket: WebSocket):
        await socket.accept()
        await shop["names_async"](async_engine, range(3))
        await socket.send_text(await socket.receive_text())

    return api


async def test_a_fact_is_logged_once_with_its_request(api, records, tmp_path):
    async with client(DbguardASGI(api, root=tmp_path)) as http:
        await http.get("/sync/3")
        await http.get("/sync/4")
        await http.get("/sync/1")
    [(level, line), (_, block)] = records.events
    assert (level, line.startswith(f"GET /sync/3: {LINE}")) == ("WARNING", True)
    assert "for number in numbers:" in block
    assert "scope:  GET /sync/3" in block
    assert "test:" not in block


async def test_every_request(api, records, tmp_path):
    async with client(DbguardASGI(api, root=tmp_path, every_request=True)) as http:
        for path in ("/sync/2", "/sync/3", "/sync/1"):
            await http.get(path)
    assert [line.partition(": ")[0] for line in records.lines] == ["GET /sync/2", "GET /sync/3"]


@pytest.mark.parametrize(("warn_on", "level"), [("warning", "WARNING"), ("error", "INFO")])
async def test_levels_and_logger(shop, engine, records, tmp_path, warn_on, level):
    async def app(scope, receive, send):
        shop["letter"](engine)

    other = logging.getLogger("other")
    other.setLevel(logging.INFO)
    other.addHandler(records)
    await call(DbguardASGI(app, root=tmp_path, warn_on=warn_on, logger=other), [])
    other.removeHandler(records)
    [(found, line)] = records.events
    assert found == level
    assert "DBG105" in line


async def test_a_budget(api, records, tmp_path):
    async with client(DbguardASGI(api, root=tmp_path, max_queries=2, select=["DBG901"])) as http:
        for path in ("/sync/2", "/sync/3", "/async/3", "/sync/3"):
            await http.get(path)
    told = "DBG901 query-budget: 3 queries, at most 2 are allowed"
    assert records.lines == [f"GET /sync/3: {told}", f"GET /async/3: {told}"]


@pytest.mark.parametrize("settings", [{"ignore": ["DBG1"]}, {"select": ["DBG101"]}, {"enabled": False}], ids=str)
async def test_what_is_not_wanted_is_not_logged(api, records, tmp_path, settings):
    async with client(DbguardASGI(api, root=tmp_path, **settings)) as http:
        response = await http.get("/sync/3")
    assert response.status_code == 200
    assert records.events == []


async def test_comments_in_the_source_are_heeded(api, records, tmp_path):
    path = tmp_path / "shop.py"
    path.write_text(path.read_text().replace("in numbers:", "in numbers:  # dbguard: ignore[DBG103]"))
    async with client(DbguardASGI(api, root=tmp_path)) as http:
        await http.get("/sync/3")
    assert records.events == []


def test_an_unknown_rule_is_told_when_the_application_starts(api):
    with pytest.raises(ConfigError, match="DBG777"):
        DbguardASGI(api, select=["DBG777"])


@pytest.mark.parametrize(("path", "count"), [("/sync/0", 0), ("/sync/1", 1), ("/async/3", 3), ("/stream", 1)])
async def test_the_header_tells_what_was_sent_so_far(api, tmp_path, path, count):
    async with client(DbguardASGI(api, root=tmp_path)) as http:
        assert counted(await http.get(path)) == count


async def test_the_header_joins_one_that_is_there(api, tmp_path):
    async with client(DbguardASGI(api, root=tmp_path)) as http:
        value = (await http.get("/timed")).headers.get_list("server-timing")
    assert len(value) == 1
    assert re.fullmatch(r"render;dur=3, " + TIMING.pattern, value[0])


async def test_without_the_header(api, records, tmp_path):
    async with client(DbguardASGI(api, root=tmp_path, server_timing=False)) as http:
        assert "server-timing" not in (await http.get("/async/2")).headers
    assert len(records.lines) == 1


async def test_requests_at_the_same_time_do_not_mix(shop, async_engine, records, tmp_path):
    api = FastAPI()
    api.add_middleware(DbguardASGI, root=tmp_path, every_request=True)
    barrier = asyncio.Barrier(4)

    @api.get("/{number}")
    async def endpoint(number: int):
        await barrier.wait()
        await shop["names_async"](async_engine, range(number))
        await barrier.wait()

    async with client(api) as http:
        responses = await asyncio.gather(*(http.get(f"/{number}") for number in (0, 1, 2, 3)))
    assert [counted(response) for response in responses] == [0, 1, 2, 3]
    seen = {line.partition(": ")[0] for line in records.lines}
    assert seen == {"GET /2", "GET /3"}


def test_sync_routes_run_in_threads(api, records, tmp_path):
    api.add_middleware(DbguardASGI, root=tmp_path)
    with TestClient(api) as http:
        assert counted(http.get("/sync/5")) == 5
    assert records.lines[0].startswith(f"GET /sync/5: {LINE}")


async def test_what_follows_the_response_belongs_to_the_request(api, records, tmp_path):
    async with client(DbguardASGI(api, root=tmp_path, every_request=True)) as http:
        assert counted(await http.get("/later")) == 0
        assert (await http.get("/stream")).text == "row"
    assert [line.partition(": ")[0] for line in records.lines] == ["GET /later", "GET /stream"]


async def call(app, events, path="/", kind="http"):
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        events.append(("sent", message["type"]))

    await app({"type": kind, "method": "GET", "path": path, "headers": []}, receive, send)


def chunked(shop, engine, error=None, is_complete=True):
    """An application that sends two chunks, works on, and may fail."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        shop["names"](engine, range(3))
        if is_complete:
            await send({"type": "http.response.body", "body": b"b"})
        if error is not None:
            raise error

    return app


async def test_judges_after_the_last_byte(shop, engine, records, tmp_path):
    await call(DbguardASGI(chunked(shop, engine), root=tmp_path), records.events)
    kinds = [text for kind, text in records.events if kind == "sent"]
    assert kinds == ["http.response.start", "http.response.body", "http.response.body"]
    assert [kind for kind, _ in records.events] == ["sent", "sent", "sent", "WARNING", "DEBUG"]


@pytest.mark.parametrize(("is_complete", "logged"), [(True, 1), (False, 0)])
async def test_errors_pass_and_what_is_not_answered_is_not_judged(shop, engine, records, tmp_path, is_complete, logged):
    app = DbguardASGI(chunked(shop, engine, KeyError("theirs"), is_complete), root=tmp_path)
    with pytest.raises(KeyError, match="theirs"):
        await call(app, records.events)
    assert len([kind for kind, _ in records.events if kind == "WARNING"]) == logged


async def test_an_error_of_a_framework_application(api, records, tmp_path):
    api.add_middleware(DbguardASGI, root=tmp_path)
    async with client(api) as http:
        assert (await http.get("/error")).status_code == 500
        assert counted(await http.get("/sync/1")) == 1
    assert records.events == []


@pytest.mark.parametrize("kind", ["websocket", "lifespan", "something new"])
async def test_other_kinds_pass_untouched(tmp_path, kind):
    seen = []

    async def app(*arguments):
        seen.append(arguments)

    arguments = ({"type": kind}, object(), object())
    await DbguardASGI(app, root=tmp_path)(*arguments)
    assert all(one is other for one, other in zip(seen[0], arguments, strict=True))


async def test_disabled_passes_untouched(tmp_path, listeners):
    seen = []

    async def app(*arguments):
        seen.append(arguments)

    arguments, before = ({"type": "http", "method": "GET", "path": "/"}, object(), object()), listeners()
    await DbguardASGI(app, enabled=False)(*arguments)
    assert all(one is other for one, other in zip(seen[0], arguments, strict=True))
    assert listeners() == before


def test_websockets_work(api, records, tmp_path):
    api.add_middleware(DbguardASGI, root=tmp_path)
    with TestClient(api) as http, http.websocket_connect("/talk") as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello"
    assert records.events == []


async def test_an_error_of_ours_is_logged_and_told_once(api, records, tmp_path, monkeypatch):
    def broken(*arguments):
        raise ValueError("ours\nwith values")

    monkeypatch.setattr(Judge, "judge", broken)
    async with client(DbguardASGI(api, root=tmp_path)) as http:
        assert (await http.get("/sync/2")).status_code == 200
    assert records.events == [("ERROR", "dbguard itself failed: judging a request: ValueError: ours")]


async def test_faults_of_rules_are_told_once(api, records, tmp_path, monkeypatch):
    from pytest_dbguard.rules.slow_query import SlowQuery

    def broken(*arguments):
        raise ValueError("ours")

    monkeypatch.setattr(SlowQuery, "check", broken)
    async with client(DbguardASGI(api, root=tmp_path, every_request=True)) as http:
        await http.get("/sync/1")
        await http.get("/sync/1")
    assert records.events == [("ERROR", "dbguard itself failed: rule DBG601: ValueError: ours")]


async def test_headers_that_are_wrong_are_the_applications(records, tmp_path):
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [("text", "not bytes")]})

    async def send(message):
        sent.append(message)

    await DbguardASGI(app, root=tmp_path)({"type": "http"}, None, send)
    assert sent[0]["headers"] == [("text", "not bytes")]
    assert records.lines[0].startswith("dbguard itself failed: adding a header: TypeError")


async def test_a_path_cannot_forge_a_line(shop, engine, records, tmp_path):
    await call(DbguardASGI(chunked(shop, engine), root=tmp_path), [], path="/a\nERROR \x1b[31mforged")
    assert "\n" not in records.lines[0]
    assert "\x1b" not in records.lines[0]
