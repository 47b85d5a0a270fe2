"""What a check of the doctor is given, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dbguard.core.errors import DbguardError

if TYPE_CHECKING:
    from pytest_dbguard.config.model import Config


class State(StrEnum):
    """Whether something works, is only worth knowing, or needs mending."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor: state, what was looked at, and what to do next ("" for nothing)."""

    state: State
    what: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at: a project's root, its file where one was named, and whether databases are to be started."""

    root: Path
    file: Path | None = None
    start: bool = False

    def config(self) -> Config:
        """Return the configuration of the project; raise ConfigError when it is wrong."""
        from pytest_dbguard.config.load import load_config

        return load_config(self.root, file=self.file)

    def config_or_defaults(self) -> Config:
        """Return the configuration, or the defaults where it is wrong: that is told by a check of its own."""
        from pytest_dbguard.config.model import Config

        try:
            return self.config()
        except DbguardError:
            return Config()


def problem(subject: str, error: DbguardError) -> Check:
    """Return the check that tells an error."""
    return Check(State.PROBLEM, f"{subject}: {error.message}", error.hint or "")
