"""Where the server in a container is reached from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pytest_dbguard.databases.connection_string import DRIVER
from pytest_dbguard.databases.container_spec import EXPOSED, PASSWORD
from pytest_dbguard.databases.postgres_server import PORT, SUPERUSER

if TYPE_CHECKING:
    from sqlalchemy import URL
    from testcontainers.core.docker_client import DockerClient


_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def container_url(client: DockerClient, description: Mapping[str, Any]) -> URL | None:
    """Return the address of the maintenance database by the engine's description of a container.

    None when its port is not open, as when the container has ended.
    """
    from sqlalchemy import URL
    from testcontainers.core.config import ConnectionMode

    mapped = description["NetworkSettings"]["Ports"].get(EXPOSED)
    if not mapped:
        return None
    host, port = client.host(), int(mapped[0]["HostPort"])
    mode = client.get_connection_mode()
    if mode is ConnectionMode.gateway_ip:
        host = client.gateway_ip(description["Id"])
    elif mode is ConnectionMode.bridge_ip:  # we run in a container beside it
        host, port = client.bridge_ip(description["Id"]), PORT
    # by number: a name may lead to ::1 first, where nothing listens
    host = "127.0.0.1" if host == "localhost" else host
    return URL.create(DRIVER, SUPERUSER, _password(description), host, port, "postgres")


def opened_on(client: DockerClient) -> str | None:
    """Return the address of this machine that a container's port is opened on; None for all of its addresses.

    All are needed where the engine's machine is another one, or we run in a container ourselves.
    """
    from testcontainers.core.config import ConnectionMode

    is_here = client.get_connection_mode() is ConnectionMode.docker_host and client.host() in _LOCAL
    return "127.0.0.1" if is_here else None


def network_beside_us(client: DockerClient) -> str | None:
    """Return the network that a container has to be in to be reached, where we run in a container beside it."""
    from testcontainers.core.config import ConnectionMode

    is_beside = client.get_connection_mode() is ConnectionMode.bridge_ip
    return client.find_host_network() if is_beside else None


def _password(description: Mapping[str, Any]) -> str | None:
    entries = (entry.partition("=") for entry in description["Config"]["Env"])
    return next((value for name, _, value in entries if name == PASSWORD), None)
