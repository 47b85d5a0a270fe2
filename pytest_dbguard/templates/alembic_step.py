"""A step that runs a project's Alembic migrations to their heads."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dbguard.core.errors import DatabaseError

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Engine
    from sqlalchemy.engine import Dialect

_URL_VARIABLES = ("DATABASE_URL", "SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_DATABASE_URL", "DB_URL")
"""Where env.py files commonly read the URL from; set for the time of the upgrade where the project's env.py names them."""


@dataclass(frozen=True, slots=True)
class AlembicStep:
    """Upgrades to all heads, by the project's own env.py."""

    ini: Path | None
    given: Config | None = field(default=None, compare=False)
    name: str = "alembic.ini"

    def fingerprint(self, dialect: Dialect) -> bytes:
        """Return the hash of the ini file and of everything in the directories of scripts."""
        found = hashlib.sha256()
        for path in self._files():
            found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return found.digest()

    def run(self, engine: Engine) -> None:
        """Upgrade.

        The URL stands in `sqlalchemy.url`, and a connection in `config.attributes["connection"]`, where env.py files
        that share connections look for it; variables such as DATABASE_URL are set where env.py reads them.
        """
        from alembic import command

        config = self._config()
        url = engine.url.render_as_string(hide_password=False)
        config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
        with _variables(self._env(config), url), _loggers_kept():
            with engine.connect() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "heads")
                connection.commit()

    def _config(self) -> Config:
        from alembic.config import Config

        if self.given is not None:
            return self.given
        return Config(str(self.ini))

    def _files(self) -> list[Path]:
        config = self._config()
        paths = [] if self.ini is None else [self.ini]
        for directory in _script_directories(config):
            paths += [path for path in directory.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        return sorted(set(paths))

    def _env(self, config: Config) -> str:
        texts = [path / "env.py" for path in _script_directories(config)]
        return "\n".join(path.read_text(encoding="utf-8") for path in texts if path.is_file())


def _script_directories(config: Config) -> list[Path]:
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    try:
        scripts = ScriptDirectory.from_config(config)
    except CommandError as error:
        raise DatabaseError(f"{config.config_file_name or 'alembic'}: {error}") from error
    locations: list[Any] = [scripts.dir, *(scripts.version_locations or ())]
    return [Path(location) for location in dict.fromkeys(map(str, locations))]


@contextmanager
def _variables(env: str, url: str) -> Iterator[None]:
    """Set the variables that env.py reads for as long as the block runs."""
    before = {name: os.environ.get(name) for name in _URL_VARIABLES if name in env}
    os.environ.update(dict.fromkeys(before, url))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _loggers_kept() -> Iterator[None]:
    """Undo what `fileConfig` of an env.py does to the loggers of the run: it disables all that exist."""
    loggers = [logger for logger in logging.Logger.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    disabled = {logger: logger.disabled for logger in loggers}
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        for logger, was in disabled.items():
            logger.disabled = was
        root.handlers[:] = handlers
        root.setLevel(level)
