"""Parse a TOML file, or say at which line it is broken."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pytest_dbguard.core.errors import ConfigError

_POSITION = re.compile(r" \(at line (?P<line>\d+), column (?P<column>\d+)\)$")


def parse_toml(path: Path, place: str) -> dict[str, Any]:
    """Return the content of the file; `place` is how it is called in errors.

    Raises:
        ConfigError: When the file cannot be read, is not UTF-8 or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{place}: cannot be read: {error.strerror}", hint="check its path and permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{place}: not UTF-8 at byte {error.start}", hint="TOML is UTF-8: save it as such") from error
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), place) from error


def _syntax_error(text: str, place: str) -> ConfigError:
    found = _POSITION.search(text)
    if found is None:
        return ConfigError(f"{place}: not valid TOML: {text}", hint="mend the end of the file")
    where = f"{place}:{found['line']}:{found['column']}"
    return ConfigError(f"{where}: not valid TOML: {text[: found.start()]}", hint=f"mend line {found['line']}")
