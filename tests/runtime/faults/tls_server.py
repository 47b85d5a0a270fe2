"""A server that takes connections over TLS only, with a certificate of an authority of our own: Debian's PostgreSQL."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from sqlalchemy import URL

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.postgres_local import find_local
from pytest_dbguard.databases.server_user import server_user
from tests.runtime.faults.server import RestartableServer, superuser_url


def missing_tls() -> str | None:
    """Return what this machine lacks for a server with TLS."""
    try:
        find_local(server_user())
    except DatabaseError as error:
        return str(error)
    return None


class TlsServer(RestartableServer):
    """Its certificate is for "localhost" and signed by `root_cert`."""

    def __init__(self) -> None:
        tls = {"ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key"}
        listening = {"listen_addresses": "127.0.0.1", "port": str(_free_port())}
        super().__init__(find_local(server_user()), tls | listening)

    @property
    def root_cert(self) -> Path:
        """Return the file of the authority's certificate, readable for everybody who may enter the directory."""
        return self.directory.path / "root.crt"

    @property
    def tcp_url(self) -> URL:
        """Return the address over TCP, without any setting for TLS."""
        return superuser_url("localhost", self.port)

    def initialise(self) -> None:
        """Make the data directory and the certificates."""
        super().initialise()
        data = self.directory.data
        root, key = self.root_cert, self.directory.path / "root.key"
        _openssl("req", "-x509", *_NEW_KEY, "-keyout", key, "-out", root, "-subj", "/CN=tests", "-days", "2")
        request = ("req", *_NEW_KEY, "-keyout", data / "server.key", "-subj", "/CN=localhost")
        signed = ("-x509", "-CA", root, "-CAkey", key, "-days", "2", "-addext", "subjectAltName=DNS:localhost")
        _openssl(*request, *signed, "-out", data / "server.crt")
        for name in ("server.key", "server.crt"):
            (data / name).chmod(0o600)
            self.user.own(data / name)


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments: object) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
