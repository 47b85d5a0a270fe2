"""Recipes as they run in production: served by real servers and workers, and ended with work in flight."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from celery import Celery

from tests.runtime.waiting import WATCHDOG_S, eventually

PRODUCTS = """
CREATE TABLE product (id serial PRIMARY KEY, name text NOT NULL, stock integer NOT NULL DEFAULT 9);
CREATE TABLE orders (id serial PRIMARY KEY, product_id integer NOT NULL REFERENCES product);
INSERT INTO product (name) VALUES ('Tea'), ('Cup');
"""
LOCK = "SELECT FROM product FOR UPDATE"


class Client:
    """Sends requests to a listening socket, one connection for each."""

    def __init__(self, listening):
        self._base = "http://{}:{}".format(*listening.getsockname())
        self._pool = ThreadPoolExecutor(8)

    def get(self, path):
        return httpx.get(f"{self._base}{path}", timeout=WATCHDOG_S)

    def order(self, path="/orders"):
        return httpx.post(f"{self._base}{path}", json={"product_id": 1}, timeout=WATCHDOG_S)

    def start(self, function, *arguments):
        return self._pool.submit(function, *arguments)

    def close(self):
        self._pool.shutdown(cancel_futures=True)


@pytest.fixture
def client(listening):
    client = Client(listening)
    yield client
    client.close()


@pytest.fixture
def uvicorn(serve, listening, shop_database):
    """Serves the recipe by uvicorn, in production's profile."""

    def start(*arguments, **environment):
        database = shop_database(PRODUCTS)
        number = listening.fileno()
        command = ("-m", "uvicorn", "shop:app", "--fd", str(number), *arguments)
        environment = {"DBGUARD_ENV": "production", **environment}
        return database, serve("runtime_fastapi", database.url, *command, environment=environment, pass_fds=[number])

    return start


class TestUvicorn:
    def test_answers_requests_in_flight_before_it_ends(self, uvicorn, client):
        database, server = uvicorn()
        assert client.get("/health/ready").status_code == 200
        with database.locked(LOCK) as release:
            answers = [client.start(client.order, path) for path in ("/orders", "/async/orders")]
            database.await_waiting(2)
            server.process.send_signal(signal.SIGTERM)
            server.await_log("Shutting down")
            release()
        assert [answer.result(WATCHDOG_S).status_code for answer in answers] == [201, 201]
        assert server.wait() in (0, -signal.SIGTERM)
        assert "Application shutdown complete" in server.log
        assert "Traceback" not in server.log
        assert database.scalar("SELECT count(*) FROM orders") == 2
        database.await_end()

    def test_cancels_what_does_not_end_in_time(self, uvicorn, client):
        graceful = ("--timeout-graceful-shutdown", "1")
        database, server = uvicorn(*graceful, DBGUARD_RUNTIME_TIMEOUTS__SHUTDOWN_S="0.2")
        with database.locked(LOCK):
            answers = [client.start(client.order, path) for path in ("/orders", "/async/orders")]
            database.await_waiting(2)
            server.process.send_signal(signal.SIGTERM)
            server.wait()
            eventually(lambda: database.sessions() == 1, "the end of all sessions but the one with the lock")
        for answer in answers:
            assert answer.exception(WATCHDOG_S) is not None or answer.result().status_code == 500
        assert database.scalar("SELECT count(*) FROM orders") == 0


class TestGunicorn:
    @pytest.fixture
    def server(self, serve, listening, shop_database):
        self.database = shop_database(PRODUCTS)
        number = listening.fileno()
        command = ("-m", "gunicorn", "--bind", f"fd://{number}")
        environment = {"DBGUARD_ENV": "production"}
        return serve("runtime_flask", self.database.url, *command, environment=environment, pass_fds=[number])

    def test_workers_have_connections_of_their_own(self, server, client):
        """Also where the process that they fork from is connected already."""
        workers = set()

        def ask():
            workers.add(client.get("/orders").json()["process"])
            return len(workers) == 2

        eventually(ask, "an answer of both workers")
        assert server.process.pid not in workers
        assert self.database.sessions() == 3

    def test_answers_requests_in_flight_before_it_ends(self, server, client):
        assert client.order().status_code == 201
        with self.database.locked(LOCK) as release:
            answers = [client.start(client.order) for _ in range(2)]
            self.database.await_waiting(2)
            server.process.send_signal(signal.SIGTERM)
            server.await_log("Handling signal: term")
            release()
        assert [answer.result(WATCHDOG_S).status_code for answer in answers] == [201, 201]
        assert server.wait() == 0
        assert server.log.count("databases are stopped") == 2
        assert "Traceback" not in server.log
        self.database.await_end()


class TestScript:
    CARTS = """
    CREATE TABLE cart (id serial PRIMARY KEY, age_in_days integer NOT NULL);
    INSERT INTO cart (age_in_days) SELECT 60 FROM generate_series(1, 4);
    """
    LEFT = "SELECT count(*) FROM cart"

    @pytest.fixture
    def database(self, shop_database):
        return shop_database(self.CARTS)

    @pytest.fixture
    def run(self, serve, database):
        def run(how_many, **environment):
            environment = {"DBGUARD_ENV": "production", **environment}
            return serve("runtime_script", database.url, "delete_old_carts.py", how_many, environment=environment)

        return run

    def test_runs_to_its_end(self, run, database):
        script = run("3")
        assert script.wait() == 0, script.log
        assert "4 carts deleted\n" in script.log
        assert database.scalar(self.LEFT) == 0
        database.await_end()

    def test_ends_the_transaction_in_flight_before_it_ends(self, run, database):
        others = "SELECT FROM cart WHERE id > 1 FOR UPDATE"
        with database.locked("SELECT FROM cart WHERE id = 1 FOR UPDATE") as release, database.locked(others):
            script = run("1")
            database.await_waiting(1)
            script.process.send_signal(signal.SIGTERM)
            script.await_log("the database service stops")
            release()
            assert script.wait() in (-signal.SIGTERM, 1), script.log
        assert database.scalar(self.LEFT) == 3
        database.await_end()

    def test_cancels_what_does_not_end_in_time(self, run, database):
        with database.locked("SELECT FROM cart FOR UPDATE"):
            script = run("1", DBGUARD_RUNTIME_TIMEOUTS__SHUTDOWN_S="0.2")
            database.await_waiting(1)
            script.process.send_signal(signal.SIGTERM)
            assert script.wait() in (-signal.SIGTERM, 1), script.log
            eventually(lambda: database.sessions() == 1, "the end of all sessions but the one with the lock")
        assert database.scalar(self.LEFT) == 4


class TestCelery:
    @pytest.fixture
    def worker(self, serve, shop_database):
        self.database = shop_database(PRODUCTS)
        command = ("-m", "celery", "-A", "shop", "worker", "--pool", "prefork", "-c", "2", "-l", "info", "-Ofair")
        environment = {"DBGUARD_ENV": "production"}
        return serve("runtime_celery", self.database.url, *command, environment=environment)

    @pytest.fixture
    def send(self, worker):
        queue = worker.directory / ".queue"
        for name in ("tasks", "results"):
            (queue / name).mkdir(parents=True, exist_ok=True)
        app = Celery("client", broker="filesystem://", backend=f"file://{queue / 'results'}", set_as_current=False)
        folders = {f"data_folder_{way}": str(queue / "tasks") for way in ("in", "out")}
        app.conf.broker_transport_options = {**folders, "control_folder": str(queue / "control")}
        with app:
            yield lambda *arguments: app.send_task("shop.sell", arguments)

    def test_processes_have_connections_of_their_own(self, worker, send):
        with self.database.locked(LOCK) as release:
            results = [send(1, 1) for _ in range(2)]
            self.database.await_waiting(2)
            release()
        answers = [result.get(timeout=WATCHDOG_S) for result in results]
        assert sorted(answer["stock"] for answer in answers) == [7, 8]
        processes = {answer["process"] for answer in answers}
        assert len(processes) == 2
        assert worker.process.pid not in processes
        assert self.database.sessions() == 3

    def test_ends_tasks_in_flight_before_it_ends(self, worker, send):
        with self.database.locked(LOCK) as release:
            result = send(1, 2)
            self.database.await_waiting(1)
            worker.process.send_signal(signal.SIGTERM)
            worker.await_log("Warm shutdown")
            release()
        assert result.get(timeout=WATCHDOG_S)["stock"] == 7
        assert worker.wait() == 0
        assert "Traceback" not in worker.log
        self.database.await_end()
