"""Finds out, within milliseconds and without importing its client, whether a Docker engine answers here."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from testcontainers.core.docker_client import DockerClient

_DEFAULT: Final = "unix:///var/run/docker.sock"
_CONNECT_S: Final = 1.0
_INSTALL: Final = "run: pip install 'pytest-dbguard[containers]'"


def missing_engine(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return why no container can be started here and what to do about it; None when an engine listens."""
    if find_spec("testcontainers") is None:
        return f"the package 'testcontainers' is not installed; {_INSTALL}"
    address = engine_address(environ)
    parts = urlsplit(address)
    try:
        if parts.scheme == "unix":
            _connect_to_socket(parts.path)
        elif parts.scheme in ("tcp", "http", "https"):
            socket.create_connection((parts.hostname or "", parts.port or 2375), _CONNECT_S).close()
    except PermissionError:
        return f"this user may not use Docker at {address}; add it to the group 'docker'"
    except FileNotFoundError:
        return f"Docker is not installed or not running: there is no {address}; start it, or set DOCKER_HOST"
    except OSError as error:
        return f"Docker is not running at {address} ({error.strerror or error}); start it, or set DOCKER_HOST"
    return None  # ssh and others are known when they are used


def engine_client() -> DockerClient:
    """Return a client of the engine that testcontainers would use, settled by its settings and Docker's."""
    from testcontainers.core.docker_client import DockerClient

    return DockerClient()


def engine_error() -> type[Exception]:
    """Return what the client's errors have in common; its package has no types."""
    error: type[Exception] = import_module("docker.errors").DockerException
    return error


def engine_address(environ: Mapping[str, str] = os.environ) -> str:
    """Return the engine's address, looked up where testcontainers does: its settings, DOCKER_HOST, the context."""
    home = Path(environ.get("HOME") or "~").expanduser()
    return _of_properties(home) or environ.get("DOCKER_HOST") or _of_context(environ, home) or _DEFAULT


def _of_properties(home: Path) -> str | None:
    with suppress(OSError):
        for line in (home / ".testcontainers.properties").read_text().splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "tc.host":
                return value.strip()
    return None


def _of_context(environ: Mapping[str, str], home: Path) -> str | None:
    settings = Path(environ.get("DOCKER_CONFIG") or home / ".docker")
    with suppress(OSError, ValueError, KeyError, TypeError):
        name: str = (
            environ.get("DOCKER_CONTEXT") or json.loads((settings / "config.json").read_text())["currentContext"]
        )
        folder = hashlib.sha256(name.encode()).hexdigest()
        meta: Any = json.loads((settings / "contexts" / "meta" / folder / "meta.json").read_text())
        return str(meta["Endpoints"]["docker"]["Host"])
    return None


def _connect_to_socket(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_CONNECT_S)
        client.connect(path)
