"""Whether a Docker engine answers, told in milliseconds."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys

import pytest

from pytest_dbguard.databases.docker_engine import engine_address, missing_engine


@pytest.fixture
def home(tmp_path):
    return {"HOME": str(tmp_path)}


def test_a_socket_that_answers_is_an_engine(home, tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "docker.sock"))
        told = missing_engine({**home, "DOCKER_HOST": f"unix://{tmp_path}/docker.sock"})
        assert told.startswith(f"Docker is not running at unix://{tmp_path}/docker.sock (Connection refused); start it")
        server.listen()
        assert missing_engine({**home, "DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}) is None


def test_a_port_that_answers_is_an_engine(home):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert missing_engine({**home, "DOCKER_HOST": address}) is None
    assert missing_engine({**home, "DOCKER_HOST": address}).startswith(f"Docker is not running at {address} (")


def test_no_socket_is_told(home, tmp_path):
    assert missing_engine({**home, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}) == (
        f"Docker is not installed or not running: there is no unix://{tmp_path}/none.sock; start it, or set DOCKER_HOST"
    )


def test_a_socket_that_we_may_not_use_is_told(home, monkeypatch):
    def refuse(*arguments):
        raise PermissionError

    monkeypatch.setattr("pytest_dbguard.databases.docker_engine._connect_to_socket", refuse)
    assert missing_engine(home) == (
        "this user may not use Docker at unix:///var/run/docker.sock; add it to the group 'docker'"
    )


def test_an_engine_behind_ssh_is_known_when_it_is_used(home):
    assert missing_engine({**home, "DOCKER_HOST": "ssh://me@build.internal"}) is None


def test_the_package_is_needed(home, monkeypatch):
    monkeypatch.setitem(sys.modules, "testcontainers", None)
    assert missing_engine(home) == (
        "the package 'testcontainers' is not installed; run: pip install 'pytest-dbguard[containers]'"
    )


def test_the_address_is_looked_up_where_testcontainers_does(home, tmp_path):
    assert engine_address(home) == "unix:///var/run/docker.sock"
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text('{"currentContext": "remote"}')
    assert engine_address(home) == "unix:///var/run/docker.sock"  # a context that is not there
    meta = tmp_path / ".docker" / "contexts" / "meta" / hashlib.sha256(b"remote").hexdigest()
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Endpoints": {"docker": {"Host": "tcp://remote:2375"}}}))
    assert engine_address(home) == "tcp://remote:2375"
    assert engine_address({**home, "DOCKER_HOST": "tcp://other:2375"}) == "tcp://other:2375"
    (tmp_path / ".testcontainers.properties").write_text("ryuk.disabled=true\ntc.host = tcp://third:2375\n")
    assert engine_address({**home, "DOCKER_HOST": "tcp://other:2375"}) == "tcp://third:2375"


def test_nothing_heavy_is_imported():
    code = (
        "import sys\n"
        "from pytest_dbguard.databases.base import StartOptions\n"
        "from pytest_dbguard.databases.registry import load_provider, provider_kinds\n"
        "for kind in provider_kinds():\n"
        "    if kind != 'sqlite':\n"
        "        load_provider(kind).available(StartOptions())\n"
        "print(sorted({'docker', 'testcontainers', 'psycopg', 'requests', 'sqlalchemy'} & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout == "[]\n"
