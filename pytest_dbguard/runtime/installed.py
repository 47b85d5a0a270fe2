"""Says what to install where the runtime lacks what it is built on."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Final

_NEEDED: Final = {"pydantic_settings": "pydantic-settings", "greenlet": "greenlet"}
"""What the extra `runtime` brings, by module. SQLAlchemy's asyncio layer needs greenlet, and 2.1 does not bring it."""


@cache
def need_extra() -> None:
    """Return where everything is installed; that is looked for once.

    Raises:
        ImportError: Where something is missing, with how to install it.
    """
    missing = [name for module, name in _NEEDED.items() if find_spec(module) is None]
    if missing:
        needs = f"pytest_dbguard.runtime needs {' and '.join(missing)}, not installed here"
        raise ImportError(f"{needs}\n  run: pip install 'pytest-dbguard[runtime]'")
