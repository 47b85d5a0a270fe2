"""PostgreSQL in real containers: started, ended, killed, kept, and not started."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time

import psycopg
import pytest

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases import container_server
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.container_address import container_url, network_beside_us, opened_on
from pytest_dbguard.databases.container_server import ContainerLaunch
from pytest_dbguard.databases.container_spec import KEPT, OWNER, container_arguments
from pytest_dbguard.databases.container_sweep import sweep_containers
from pytest_dbguard.databases.docker_engine import engine_client
from pytest_dbguard.databases.kept_servers import kept_servers, stop_kept
from pytest_dbguard.databases.postgres_container import IMAGE, ContainerPostgresProvider
from pytest_dbguard.databases.run_owner import RunOwner
from tests.databases.servers import docker_api

PROVIDER = ContainerPostgresProvider()


@pytest.fixture(scope="module")
def api():
    """The engine itself."""
    return docker_api()


@pytest.fixture(scope="module")
def server(api):
    server = PROVIDER.launch().ready()
    yield server
    server.close()


def containers(api, label=OWNER):
    return {entry["Id"] for entry in api.containers(all=True, filters={"label": label})}


def ours(api):
    """Return the containers of this very process, whatever other workers do."""
    return containers(api, f"{OWNER}={RunOwner.here()}")


def values(server, *expressions):
    with psycopg.connect(connection_string(server.url)) as connection:
        return connection.execute("SELECT " + ", ".join(expressions)).fetchone()


def test_it_runs_with_our_settings_and_data_in_memory(server, api):
    assert (server.kind, server.is_ours) == ("postgres-container", True)
    assert server.version.startswith("18.")
    assert values(server, *(f"current_setting('{name}')" for name in ("fsync", "jit", "timezone", "autovacuum"))) == (
        "off",
        "off",
        "UTC",
        "off",
    )
    (kind,) = values(server, "(SELECT pg_read_file('/proc/mounts') ~ ('tmpfs ' || '/dbguard' || ' tmpfs'))")
    assert kind is True
    assert values(server, "current_setting('data_directory')") == ("/dbguard/data",)


def test_its_port_is_open_no_wider_than_needed_and_its_password_is_random(server, api):
    ports = api.inspect_container(server.container_id)["NetworkSettings"]["Ports"]["5432/tcp"]
    address = opened_on(engine_client())
    assert {port["HostIp"] for port in ports} <= ({address} if address else {"0.0.0.0", "::"})
    assert len(server.url.password) == 32
    assert server.url.password not in repr(server.url)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(connection_string(server.url.set(password="postgres")))


def test_workers_join_it(server):
    joined = PROVIDER.join(server.url)
    assert (joined.kind, joined.is_ours, joined.version) == ("postgres-container", True, server.version)


def test_two_at_once_and_nothing_is_left(server, api):
    launches = [PROVIDER.launch(), PROVIDER.launch()]
    others = [launch.ready() for launch in launches]
    assert len({other.url.port for other in (*others, server)}) == 3
    for other in others:
        other.close()
        other.close()
    assert not {other.container_id for other in others} & containers(api)
    assert server.container_id in containers(api)


def test_a_forked_child_removes_nothing(server, unprivileged, api):
    unprivileged(server.close)
    assert server.container_id in containers(api)


def test_a_launch_that_is_abandoned_leaves_nothing(api):
    before = ours(api)
    launch = PROVIDER.launch()
    launch.abandon()
    launch.abandon()
    assert ours(api) == before
    with pytest.raises(DatabaseError):
        launch.ready()


def test_an_interrupt_while_waiting_leaves_nothing(api, monkeypatch):
    before = ours(api)
    launch = PROVIDER.launch()
    joins = iter([KeyboardInterrupt()])
    join = launch._thread.join

    def interrupted():
        for error in joins:
            raise error
        join()

    monkeypatch.setattr(launch._thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        launch.ready()
    assert ours(api) == before


@pytest.fixture
def image(api):
    """Make an image of a few lines from the one of the tests."""
    made = []

    def build(*lines):
        text = "\n".join([f"FROM {IMAGE}", *lines]).encode()
        tag = f"dbguard-test-{os.getpid()}-{len(made)}:latest"
        assert any(
            "Successfully built" in str(line)
            for line in api.build(fileobj=io.BytesIO(text), tag=tag, rm=True, decode=True)
        )
        made.append(tag)
        return tag

    yield build
    for tag in made:
        api.remove_image(tag, force=True)


def test_a_container_that_ends_is_told_at_once_with_its_log(api, image):
    before = ours(api)
    tag = image('ENTRYPOINT ["sh", "-c", "echo no room for $POSTGRES_PASSWORD >&2; exit 3"]')
    launch = PROVIDER.launch(StartOptions(image=tag))
    with pytest.raises(DatabaseError) as caught:
        launch.ready()
    assert str(caught.value) == (
        f"PostgreSQL does not start in a container of '{tag}': it ended with status 3\n"
        "no room for ***\n"
        "  mend what the log says, or name another image with --dbguard-image"
    )
    assert ours(api) == before


def test_a_container_without_postgres_is_told(api, image):
    tag = image("ENTRYPOINT []", "ENV PATH=/bin")
    with pytest.raises(DatabaseError, match="it ended with status 127"):
        PROVIDER.launch(StartOptions(image=tag)).ready()


def test_a_container_that_never_answers_is_given_up_at_the_deadline(api, image):
    tag = image('ENTRYPOINT ["sh", "-c", "tail -f /dev/null"]')
    times = iter([0.0, 0.0, 0.1, 30.0, 0.2])
    launch = ContainerLaunch(
        PROVIDER.kind, tag, StartOptions(), clock=lambda: next(times, 61.0), sleep=lambda seconds: None
    )
    with pytest.raises(DatabaseError, match="no connection within 60 s: "):
        launch.ready()


def test_an_image_that_cannot_be_had_is_told(api):
    launch = PROVIDER.launch(StartOptions(image="127.0.0.1:1/dbguard/none:1"))
    with pytest.raises(DatabaseError) as caught:
        launch.ready()
    assert "the image '127.0.0.1:1/dbguard/none:1' is not here and cannot be pulled: " in caught.value.message
    assert caught.value.hint == "run: docker pull 127.0.0.1:1/dbguard/none:1, or name another with --dbguard-image"


def test_the_version_that_an_image_tells_decides_its_settings(api, image):
    server = PROVIDER.launch(StartOptions(image=image("ENV PG_MAJOR=18"))).ready()
    expected = ("sync", "off", "builtin")
    assert values(server, "current_setting('io_method')", "current_setting('data_checksums')") == expected[:2]
    (provider,) = values(server, "(SELECT datlocprovider FROM pg_database WHERE datname = 'postgres')")
    assert provider == "b"
    server.close()


RUN = """
import sys
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.postgres_container import ContainerPostgresProvider
server = ContainerPostgresProvider().launch(StartOptions(outlives_run=sys.argv[1] == "kept")).ready()
print(server.container_id, flush=True)
sys.stdin.read()
"""


def killed_run(how):
    """Start a run, kill it, and return its container."""
    with subprocess.Popen([sys.executable, "-c", RUN, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        identifier = run.stdout.readline().decode().strip()
        yield identifier
        run.kill()
        run.wait()
    yield identifier


def test_a_killed_run_leaves_no_server_and_the_next_one_removes_its_container(api):
    run = killed_run("plain")
    identifier = next(run)
    sweep_containers(api)
    assert identifier in containers(api)  # of a living run
    next(run)
    api.wait(identifier)  # it ends by itself
    PROVIDER.launch().ready().close()
    assert identifier not in containers(api)


def test_a_container_whose_input_did_not_end_it_is_removed_all_the_same(api):
    run = killed_run("plain")
    identifier = next(run)
    api.pause(identifier)  # nothing in it can end now
    next(run)
    sweep_containers(api)
    assert identifier not in containers(api)


def test_a_kept_server_outlives_its_run_until_it_is_stopped(api):
    run = killed_run("kept")
    identifier = next(run)
    next(run)
    sweep_containers(api)
    (kept,) = [kept for kept in kept_servers() if kept.container == identifier]
    assert (kept.kind, kept.directory, kept.project) == ("postgres-container", None, None)
    assert values(kept, "1") == (1,)
    stop_kept(kept)
    assert identifier not in containers(api)
    stop_kept(kept)  # it is gone already
    assert identifier not in {kept.container for kept in kept_servers()}


def test_no_engine_is_told_with_the_next_step(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(DatabaseError, match="Docker is not installed or not running: there is no unix://") as caught:
        PROVIDER.launch()
    assert "'postgres-container' cannot start" in str(caught.value)


def test_an_engine_that_fails_is_told(monkeypatch):
    def broken():
        raise container_server.engine_error()("no such\n  luck")

    launch = ContainerLaunch("postgres-container", IMAGE, StartOptions(), client=broken)
    with pytest.raises(DatabaseError) as caught:
        launch.ready()
    assert str(caught.value) == "no container of 'postgres:18': no such luck\n  look at `docker info`"


class Engine:
    """What a client tells of where we are."""

    def __init__(self, mode):
        from testcontainers.core.config import ConnectionMode

        self.mode = ConnectionMode(mode)

    def get_connection_mode(self):
        return self.mode

    def host(self):
        return "localhost"

    def gateway_ip(self, identifier):
        return "172.17.0.1"

    def bridge_ip(self, identifier):
        return "172.17.0.5"

    def find_host_network(self):
        return "shop_default"


@pytest.mark.parametrize(
    ("mode", "address", "network", "opened"),
    [
        ("docker_host", ("127.0.0.1", 32768), None, "127.0.0.1"),
        ("gateway_ip", ("172.17.0.1", 32768), None, None),
        ("bridge_ip", ("172.17.0.5", 5432), "shop_default", None),
    ],
)
def test_it_is_reached_from_a_container_too(mode, address, network, opened):
    ports = {"5432/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32768"}]}
    description = {
        "Id": "1",
        "NetworkSettings": {"Ports": ports},
        "Config": {"Env": ["PATH=/bin", "POSTGRES_PASSWORD=a=b"]},
    }
    url = container_url(Engine(mode), description)
    assert ((url.host, url.port), url.password) == (address, "a=b")
    assert network_beside_us(Engine(mode)) == network
    assert opened_on(Engine(mode)) == opened
    ports.clear()
    assert container_url(Engine(mode), description) is None


HERE = RunOwner.here()
DEAD = RunOwner(HERE.machine, HERE.pid, "1")
STRANGER = RunOwner("another machine", HERE.pid, "1")


@pytest.mark.parametrize(
    ("owner", "state", "is_kept", "age_s", "expected"),
    [
        (HERE, "running", False, 9999, False),
        (HERE, "exited", False, 9999, False),
        (DEAD, "running", False, 0, True),
        (DEAD, "exited", False, 0, True),
        (DEAD, "running", True, 9999, False),
        (DEAD, "exited", True, 0, True),
        (STRANGER, "running", False, 9999, False),
        (STRANGER, "exited", False, 10, False),
        (STRANGER, "exited", False, 9999, True),
        ("nonsense", "running", False, 9999, False),
    ],
)
def test_only_what_is_known_to_be_left_is_removed(owner, state, is_kept, age_s, expected):
    now = time.time()
    labels = {OWNER: str(owner)} | ({KEPT: "2026-01-01"} if is_kept else {})
    removed = []

    class Api:
        def containers(self, **filters):
            return [{"Id": "1", "Labels": labels, "State": state, "Created": now - age_s}]

        def remove_container(self, identifier, **options):
            removed.append(identifier)

    sweep_containers(Api(), clock=lambda: now)
    assert removed == (["1"] if expected else [])


def test_the_project_is_told_in_a_label(tmp_path):
    arguments = container_arguments(
        {"Config": {}}, "secret", owner=HERE, outlives_run=True, project=tmp_path, address=None
    )
    assert arguments["labels"]["dbguard.project"] == str(tmp_path)
    assert arguments["ports"] == {"5432/tcp": None}  # on every address, where the engine is elsewhere
    assert arguments["entrypoint"][0] == "postgres"
