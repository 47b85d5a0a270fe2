"""How a container with a test server is made: its command, its memory, its labels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pytest_dbguard.databases.postgres_flags import layout_arguments, server_settings
from pytest_dbguard.databases.postgres_server import PORT, SUPERUSER
from pytest_dbguard.databases.run_owner import RunOwner

OWNER: Final = "dbguard.owner"
KEPT: Final = "dbguard.kept"
PROJECT: Final = "dbguard.project"
EXPOSED: Final = f"{PORT}/tcp"
PASSWORD: Final = "POSTGRES_PASSWORD"  # noqa: S105 - the name of a variable
_MEMORY: Final = "/dbguard"
# The container's input is a connection that our process holds: it ends when we do, however that happens, and the
# server with it. Hence no Ryuk, which is one more image, one more container and half a second. Processes get the
# signal besides number 1, which may be a shell that passes nothing on.
_END_WITH_INPUT: Final = """
exec 3<&0
(cat <&3 >/dev/null; while :; do kill -s QUIT 1; kill -s QUIT -- -1; sleep 1; done) 2>/dev/null &
exec "$@" 3<&- </dev/null
"""


def container_arguments(
    image: Mapping[str, Any],
    password: str,
    *,
    owner: RunOwner,
    outlives_run: bool,
    project: Path | None,
    address: str | None,
) -> dict[str, Any]:
    """Return the arguments for the Docker client's `create`.

    Args:
        image: The image's description by the engine.
        password: For the superuser of the server.
        owner: The process whose end is the container's end.
        outlives_run: Whether the container goes on after that instead.
        project: Which project it is for; only for lists.
        address: Which address of the machine the port is opened on; None for all.
    """
    major = _major(image)
    settings = server_settings(major)
    command = ["postgres", *(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))]
    entry = [*(image["Config"].get("Entrypoint") or []), *command]
    labels = {OWNER: str(owner)} | ({KEPT: datetime.now(UTC).isoformat()} if outlives_run else {})
    return {
        "entrypoint": entry if outlives_run else ["sh", "-c", _END_WITH_INPUT, "sh", *entry],
        "command": [],
        "environment": {
            "POSTGRES_USER": SUPERUSER,
            "POSTGRES_DB": "postgres",
            PASSWORD: password,
            "PGDATA": f"{_MEMORY}/data",
            "POSTGRES_INITDB_ARGS": " ".join(["--no-sync", *layout_arguments(major)]),
        },
        "ports": {EXPOSED: address and (address, None)},
        "tmpfs": {_MEMORY: ""},
        "stdin_open": not outlives_run,
        "labels": labels | ({PROJECT: str(project)} if project else {}),
    }


def _major(image: Mapping[str, Any]) -> int:
    """Return the major version that an image tells in its environment; 0 when it does not."""
    for entry in image["Config"].get("Env") or []:
        name, _, value = entry.partition("=")
        if name == "PG_MAJOR" and value.isdecimal():
            return int(value)
    return 0
