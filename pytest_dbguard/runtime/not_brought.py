"""What the settings can ask for and this version does not bring: refused where it would be relied on, else told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pytest_dbguard.runtime.errors import NotConfigured

if TYPE_CHECKING:
    from pytest_dbguard.runtime.settings import DatabaseSettings

_MIDDLEWARE: Final = ("soft_delete", "audit", "query_cache")
_BACKUPS: Final = ("backups", "make them by pg_dump or SQLite's VACUUM INTO; the settings of `backup` do nothing yet")
_OPTIMIZER: Final = ("optimizer", "print(service.performance_summary()) for the slowest statements and their figures")


def refuse(settings: DatabaseSettings) -> None:
    """Raise `NotConfigured` for what an application would rely on: rows that are to be kept when they are deleted."""
    for name in _MIDDLEWARE:
        if getattr(settings.middleware, name):
            message = f"middleware.{name} is set, but this version of pytest-dbguard brings no such middleware"
            raise NotConfigured(
                message, hint=f"take middleware.{name} out: sessions would work as if it were not there"
            )


def left_out(settings: DatabaseSettings) -> Iterator[str]:
    """Yield what goes without, a sentence each: profiles set these by themselves."""
    if settings.backup.enabled:
        yield "backup.enabled is set, but this version of pytest-dbguard takes no backups"
    if settings.monitoring.enabled and settings.monitoring.alerts:
        yield "monitoring.alerts is set, but this version of pytest-dbguard sends none: subscribe to `events`"


class MissingParts:
    """The service's functions whose parts this version does not bring. Each raises `NotConfigured`."""

    def optimization_report(self) -> NoReturn:
        """Raise: there is no optimizer."""
        _missing(*_OPTIMIZER)

    def model_optimizations(self, model: str) -> NoReturn:
        """Raise: there is no optimizer."""
        _missing(*_OPTIMIZER)

    def create_backup(self, **options: Any) -> NoReturn:
        """Raise: there are no backups."""
        _missing(*_BACKUPS)

    def list_backups(self) -> NoReturn:
        """Raise: there are no backups."""
        _missing(*_BACKUPS)

    def restore_backup(self, backup: str, **options: Any) -> NoReturn:
        """Raise: there are no backups."""
        _missing(*_BACKUPS)

    async def optimization_report_async(self) -> NoReturn:
        """Raise: there is no optimizer."""
        _missing(*_OPTIMIZER)

    async def model_optimizations_async(self, model: str) -> NoReturn:
        """Raise: there is no optimizer."""
        _missing(*_OPTIMIZER)

    async def create_backup_async(self, **options: Any) -> NoReturn:
        """Raise: there are no backups."""
        _missing(*_BACKUPS)

    async def list_backups_async(self) -> NoReturn:
        """Raise: there are no backups."""
        _missing(*_BACKUPS)

    async def restore_backup_async(self, backup: str, **options: Any) -> NoReturn:
        """Raise: there are no backups."""
        _missing(*_BACKUPS)


def _missing(part: str, hint: str) -> NoReturn:
    raise NotConfigured(f"this version of pytest-dbguard brings no {part}", hint=hint)
