"""Colours and weight of terminal text, by ANSI codes, or none at all."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pytest_dbguard.core.findings import Severity

_CODES: Final = MappingProxyType(
    {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
)
_OF_SEVERITY: Final = MappingProxyType({Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"})


@dataclass(frozen=True, slots=True)
class Style:
    """Paints text when colour is wanted. Paint last: the codes take no cells but have a length."""

    color: bool

    def paint(self, text: str, *names: str) -> str:
        """Return the text in these colours; empty text stays empty."""
        if not self.color or not text:
            return text
        return f"\033[{';'.join(_CODES[name] for name in names)}m{text}\033[0m"

    def severity(self, text: str, severity: Severity) -> str:
        """Return the text in the colour of a severity."""
        return self.paint(text, "bold", _OF_SEVERITY[severity])
