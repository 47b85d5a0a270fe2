"""pytest-dbguard: fail the build on N+1 loads and statements in loops, for SQLAlchemy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_dbguard.api import OpenRecording as OpenRecording
    from pytest_dbguard.api import check as check
    from pytest_dbguard.api import record as record
    from pytest_dbguard.api import report as report
    from pytest_dbguard.dev_server.asgi import DbguardASGI as DbguardASGI
    from pytest_dbguard.dev_server.wsgi import DbguardWSGI as DbguardWSGI

__all__ = ["DbguardASGI", "DbguardWSGI", "OpenRecording", "check", "record", "report"]
__version__ = "0.1.0"

_MODULES = {"DbguardASGI": "pytest_dbguard.dev_server.asgi", "DbguardWSGI": "pytest_dbguard.dev_server.wsgi"}


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used: the pytest plugin must not pay for them."""
    if name not in __all__:
        raise AttributeError(f"module 'pytest_dbguard' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES.get(name, "pytest_dbguard.api")), name)
