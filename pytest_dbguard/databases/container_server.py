"""A PostgreSQL server in a container: made in the background, watched until it answers, removed with all its data."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import connection_string
from pytest_dbguard.databases.container_address import container_url, network_beside_us, opened_on
from pytest_dbguard.databases.container_spec import container_arguments
from pytest_dbguard.databases.container_sweep import sweep_containers
from pytest_dbguard.databases.docker_engine import engine_client, engine_error
from pytest_dbguard.databases.run_owner import RunOwner

if TYPE_CHECKING:
    from sqlalchemy import URL
    from testcontainers.core.docker_client import DockerClient

_START_S: Final = 60.0
_POLL_S: Final = 0.01
_LOOKS_S: Final = 0.25  # between two looks at whether the container still runs
_LOG_LINES: Final = 12


class ContainerServer:
    """A server in a container of our own."""

    is_ours = True

    def __init__(self, kind: str, url: URL, version: str, container: Any, input_: object) -> None:
        self.kind = kind
        self.url = url
        self.version = version
        self.container_id: str = container.id
        self._container = container
        self._input = input_  # the container ends with it
        self._owner = os.getpid()

    def close(self) -> None:
        """Remove the container. A forked child of its owner removes nothing."""
        if self._container is not None and os.getpid() == self._owner:
            remove(self._container)
            self._container = self._input = None


class ContainerLaunch:
    """A container that a thread makes while other things happen: the image may have to be pulled first."""

    def __init__(
        self,
        kind: str,
        image: str,
        options: StartOptions,
        client: Callable[[], DockerClient] = engine_client,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._kind = kind
        self._image = image
        self._options = options
        self._client = client
        self._clock = clock
        self._sleep = sleep
        self._is_given_up = False
        self._container: Any = None
        self._input: object = None
        self._result: ContainerServer | BaseException | None = None
        self._password = secrets.token_hex(16)
        self._thread = threading.Thread(target=self._run, name="dbguard-container", daemon=True)
        self._thread.start()

    def ready(self) -> ContainerServer:
        """Wait for the server.

        Raises:
            DatabaseError: When the image cannot be had, the container ends, or it does not answer within a minute.
        """
        try:
            self._thread.join()
        except BaseException:
            self.abandon()
            raise
        if isinstance(self._result, ContainerServer):
            return self._result
        raise self._result or AssertionError("the thread ends with a result")

    def abandon(self) -> None:
        """Remove what is coming up."""
        self._is_given_up = True
        self._thread.join()
        if isinstance(self._result, ContainerServer):
            self._result.close()

    def _run(self) -> None:
        try:
            self._result = self._come_up()
        except BaseException as error:  # noqa: BLE001 - told by `ready`
            self._result = error
            if self._container is not None:
                remove(self._container)

    def _come_up(self) -> ContainerServer:
        try:
            client = self._client()
            sweep_containers(client.client.api)
            self._create(client)
            return self._wait(client)
        except (engine_error(), OSError) as error:
            raise DatabaseError(
                f"no container of {self._image!r}: {plain(error)}", hint="look at `docker info`"
            ) from error

    def _create(self, client: DockerClient) -> None:
        arguments = container_arguments(
            self._described(client),
            self._password,
            owner=RunOwner.here(),
            outlives_run=self._options.outlives_run,
            project=self._options.project,
            address=opened_on(client),
        )
        network = network_beside_us(client)
        if network is not None:
            arguments["network"] = network
        self._container = client.client.containers.create(self._image, **arguments)
        if not self._options.outlives_run:
            self._input = self._container.attach_socket(params={"stdin": 1, "stream": 1})
        self._container.start()

    def _described(self, client: DockerClient) -> dict[str, Any]:
        api = client.client.api
        if api.images(self._image, quiet=True):
            return dict(api.inspect_image(self._image))
        try:
            client.client.images.pull(self._image)
            return dict(api.inspect_image(self._image))
        except (engine_error(), OSError) as error:
            raise DatabaseError(
                f"the image {self._image!r} is not here and cannot be pulled: {plain(error)}",
                hint=f"run: docker pull {self._image}, or name another with --dbguard-image",
            ) from error

    def _wait(self, client: DockerClient) -> ContainerServer:
        import psycopg

        url = self._url(client)
        deadline, next_look = self._clock() + _START_S, self._clock()
        while True:
            try:
                with psycopg.connect(connection_string(url), connect_timeout=5) as connection:
                    version = connection.info.parameter_status("server_version") or ""
                    return ContainerServer(self._kind, url, version.partition(" ")[0], self._container, self._input)
            except psycopg.OperationalError as error:
                last = error
            if self._clock() >= next_look:
                self._look()
                next_look = self._clock() + _LOOKS_S
            if self._is_given_up or self._clock() > deadline:
                raise self._failure(f"no connection within {_START_S:.0f} s: {plain(last)}") from last
            self._sleep(_POLL_S)

    def _look(self) -> None:
        """Raise when the container has ended."""
        self._container.reload()
        state = self._container.attrs["State"]
        if state["Status"] in ("exited", "dead", "removing"):
            killed = ", out of memory" if state.get("OOMKilled") else ""
            raise self._failure(f"it ended with status {state.get('ExitCode')}{killed}")

    def _url(self, client: DockerClient) -> URL:
        self._look()
        url = container_url(client, self._container.attrs)
        if url is None:
            self._look()  # it may have ended since
            raise self._failure("its port is not open")
        return url

    def _failure(self, what: str) -> DatabaseError:
        log = self._container.logs(tail=_LOG_LINES).decode(errors="replace").strip().replace(self._password, "***")
        return DatabaseError(
            f"PostgreSQL does not start in a container of {self._image!r}: {what}\n{log}".rstrip(),
            hint="mend what the log says, or name another image with --dbguard-image",
        )


def remove(container: Any) -> None:
    """Remove a container with its volumes, whatever it is doing."""
    with suppress(engine_error(), OSError):
        container.remove(force=True, v=True)


def plain(error: BaseException) -> str:
    """Return an error of the engine or the driver in one line."""
    return " ".join(str(getattr(error, "explanation", None) or error).split())
