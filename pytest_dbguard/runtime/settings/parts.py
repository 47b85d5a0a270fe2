"""The sections of the settings for the parts of the service besides the engines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool
from pydantic_core import PydanticCustomError

from pytest_dbguard.runtime.settings.cron import wrong_in
from pytest_dbguard.runtime.settings.sections import FilePath, Number, Seconds, Section, Text


def _cron(text: str) -> str:
    wrong = wrong_in(text)
    if wrong:
        raise PydanticCustomError("cron", "{wrong}", {"wrong": wrong})
    return text


Milliseconds = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Cron = Annotated[Text, AfterValidator(_cron)]


class MiddlewareSettings(Section):
    """What is put between the application and its sessions."""

    soft_delete: StrictBool = False
    """Whether deleted rows are marked instead of removed."""

    audit: StrictBool = False
    """Whether changes are written down with who made them."""

    query_cache: StrictBool = False
    """Whether results of reads are kept for a while."""

    timing: StrictBool = True
    """Whether statements are counted and timed.

    Without, figures and summaries have none, and there are no events "query" and "slow_query".
    """


class MonitoringSettings(Section):
    """What is watched, how often, and when it is told."""

    enabled: StrictBool = True
    """Whether anything is watched in the background."""

    level: Literal["light", "full"] = "light"
    """Health and pools alone, or statements and history too; this version keeps no history: both do the same."""

    alerts: StrictBool = False
    """Whether somebody is told."""

    health_interval_s: Seconds = 10.0
    """Seconds between two health checks."""

    unhealthy_after: Number = 3
    """Failed checks in a row after which a server counts as unhealthy."""

    healthy_after: Number = 2
    """Good checks in a row after which it counts as healthy again."""


class BackupSettings(Section):
    """When backups are made, and how many are kept."""

    enabled: StrictBool = False
    """Whether backups are made by schedule."""

    schedule: Cron = "30 3 * * *"
    """When, as in a crontab: minute, hour, day, month, weekday."""

    directory: FilePath = Path("backups")
    """Where they are kept."""

    keep: Number = 7
    """How many are kept."""


class SecuritySettings(Section):
    """What the settings themselves must keep to."""

    require_tls: StrictBool = False
    """Whether servers that are reached over a network must be reached by TLS."""

    secrets: Literal["anywhere", "environment-or-files"] = "anywhere"
    """Where passwords may stand; with "environment-or-files" not in TOML, which is committed with the code."""


class LoggingSettings(Section):
    """What is logged about statements; their parameters never are."""

    statements: StrictBool = False
    """Whether every statement is logged, by the logger "sqlalchemy.engine.Engine.TARGET"."""

    slow_ms: Milliseconds = 500.0
    """Milliseconds from which a statement counts as slow."""
