"""Reads files of ours that people keep in repositories, and tells what is wrong with one that cannot be read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_dbguard.core.errors import ConfigError

_CONFLICT_MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A file of one kind.

    Attributes:
        path: Where it is.
        kind: What it is: "file of statistics".
        again: How it is made again, as the end of a sentence.
    """

    path: Path
    kind: str
    again: str

    def text(self) -> str:
        """Return what is in it.

        Raises:
            ConfigError: When it cannot be read.
        """
        try:
            return self.path.read_bytes().decode("utf-8-sig")
        except FileNotFoundError as error:
            raise ConfigError(f"there is no {self.kind} {str(self.path)!r}", hint=self.again) from error
        except OSError as error:
            raise ConfigError(f"cannot read the {self.kind} {self.path}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{self.path}: not UTF-8 text (byte {error.start})", hint=self.again) from error

    def value(self, text: str) -> Any:
        """Return the value that its text stands for.

        Raises:
            ConfigError: When it is no JSON; names the line, and quotes nothing: values may be of rows.
        """
        self._refuse_conflict(text)
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            place = f"{self.path}:{error.lineno}:{error.colno}"
            raise ConfigError(f"{place}: not valid JSON: {error.msg}", hint=self.again) from None
        except RecursionError:
            raise ConfigError(f"{self.path}: JSON nested too deeply for a {self.kind}", hint=self.again) from None

    def _refuse_conflict(self, text: str) -> None:
        for number, line in enumerate(text.split("\n"), 1):
            if line.startswith(_CONFLICT_MARKERS):
                hint = f"take one side, or {self.again}"
                raise ConfigError(f"{self.path}:{number}: a merge conflict is not resolved", hint=hint)
