"""Removes the containers that killed runs left, and no others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from pytest_dbguard.databases.container_spec import KEPT, OWNER
from pytest_dbguard.databases.docker_engine import engine_error
from pytest_dbguard.databases.run_owner import RunOwner

_ENDED: Final = ("exited", "dead")
_AGE_S: Final = 3600.0


def sweep_containers(api: Any, clock: Callable[[], float] = time.time) -> None:
    """Remove containers of ours whose owner has ended.

    Of owners that cannot be seen from here (another machine or container on the same engine, or before a restart)
    only what ended long ago: whether they live is not known, and without them their containers end by themselves.
    """
    for entry in api.containers(all=True, filters={"label": OWNER}):
        if _is_left(entry, clock()):
            with suppress(engine_error()):  # another run removes it at this moment
                api.remove_container(entry["Id"], force=True, v=True)


def _is_left(entry: Mapping[str, Any], now: float) -> bool:
    labels, has_ended = entry["Labels"], entry["State"] in _ENDED
    owner = RunOwner.read(labels[OWNER])
    if KEPT in labels and not has_ended:
        return False
    if owner is not None and owner.is_local:
        return owner.is_dead
    return has_ended and now - entry["Created"] > _AGE_S
