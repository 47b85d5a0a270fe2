"""`dbguard version`: the versions that a bug report needs."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version


def version() -> None:
    """Show the versions that a bug report needs."""
    ours = _version_of("pytest-dbguard")
    others = (f"{name} {_version_of(name.lower())}" for name in ("pytest", "SQLAlchemy"))
    print(f"pytest-dbguard {ours} (Python {platform.python_version()}, {', '.join(others)})")


def _version_of(package: str) -> str:
    # From the metadata: importing pytest and SQLAlchemy for their versions takes a second.
    try:
        return installed_version(package)
    except PackageNotFoundError:
        return "not installed"
