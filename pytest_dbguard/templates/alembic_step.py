"""A step that runs a project's Alembic migrations to their heads."""

from __future__ import annotations

import copy
import hashlib
import logging.config
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.templates.leading import all_lead_to, plain
from pytest_dbguard.templates.off_loop import in_own_thread, is_loop_running

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Engine
    from sqlalchemy.engine import Dialect

URL_VARIABLE_OPTION = "dbguard_url_variable"
"""Option of the section [alembic] that names variables, separated by commas, which env.py reads the URL from."""

_READS_VARIABLE = re.compile(r"""(?:environ(?:\.get)?\s*[\[(]|getenv\s*\()\s*["'](\w*(?:URL|URI|DSN)\w*)["']""")
_IS_ASYNC = re.compile(r"\b(?:async_engine_from_config|create_async_engine|AsyncEngine)\b")


@dataclass(frozen=True, slots=True)
class AlembicStep:
    """Upgrades to all heads, by the project's own env.py.

    It needs no change for that: its URL stands in `sqlalchemy.url`, a connection in `config.attributes["connection"]`
    where recipes look for one, the variables that env.py reads are set, and whatever engine is made meanwhile leads
    to the new database.
    """

    ini: Path | None
    given: Config | None = field(default=None, compare=False)
    name: str = "alembic.ini"

    def fingerprint(self, dialect: Dialect) -> bytes:
        """Return the hash of the ini file and of everything in the directories of scripts."""
        found = hashlib.sha256()
        with self._at_home() as config:
            for directory, path in _files(self.ini, script_directories(config)):
                found.update(str(path.relative_to(directory)).encode() + b"\0")
                found.update(hashlib.sha256(path.read_bytes()).digest())
        return found.digest()

    def run(self, engine: Engine) -> None:
        """Upgrade."""
        with self._at_home() as config:
            env = _env(script_directories(config))
            if _IS_ASYNC.search(env) or is_loop_running():
                # asyncio.run would refuse in a running loop, and leaves its thread without one
                in_own_thread(lambda: self._upgrade(config, env, engine))
            else:
                self._upgrade(config, env, engine)

    def _upgrade(self, config: Config, env: str, engine: Engine) -> None:
        from alembic import command

        url = engine.url
        if url.get_backend_name() == "sqlite" and _IS_ASYNC.search(env):
            url = url.set(drivername="sqlite+aiosqlite")
        config.set_main_option("sqlalchemy.url", plain(url).replace("%", "%%"))
        named = (config.get_main_option(URL_VARIABLE_OPTION) or "").replace(",", " ").split()
        with ExitStack() as stack:
            stack.enter_context(all_lead_to(engine.url, [*named, *_READS_VARIABLE.findall(env)]))
            stack.enter_context(_logging_left_alone())
            connection = config.attributes["connection"] = stack.enter_context(engine.connect())
            command.upgrade(config, "heads")
            connection.commit()

    @contextmanager
    def _at_home(self) -> Iterator[Config]:
        """Give a configuration that may be changed, in the directory that its relative paths start from."""
        if self.given is None:
            config = _imported_config()(str(self.ini))
        else:
            config = copy.copy(self.given)
            vars(config)["file_config"] = copy.deepcopy(self.given.file_config)
            vars(config)["attributes"] = dict(self.given.attributes)
        path = list(sys.path)
        home = None if config.config_file_name is None else Path(config.config_file_name).resolve().parent
        try:
            with chdir(home or Path.cwd()):
                yield config
        finally:
            # Alembic's prepend_sys_path is often "."
            sys.path[:] = path


def script_directories(config: Config) -> list[Path]:
    """Return the directories that hold env.py and the migrations.

    Raises:
        DatabaseError: When the configuration names none, or one that is not there.
    """
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    try:
        scripts = ScriptDirectory.from_config(config)
    except CommandError as error:
        raise DatabaseError(f"{config.config_file_name or 'alembic'}: {error}") from error
    locations: list[Any] = [scripts.dir, *(scripts.version_locations or ())]
    return [Path(location).resolve() for location in dict.fromkeys(map(str, locations))]


def config_of(directory: Path) -> Config:
    """Return the configuration of a directory with env.py that comes without an ini file."""
    config = _imported_config()()
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    return config


def _imported_config() -> type[Config]:
    try:
        from alembic.config import Config
    except ImportError as error:
        raise DatabaseError(f"migrations need Alembic: {error}", hint="run: pip install alembic") from error
    return Config


def _files(ini: Path | None, directories: list[Path]) -> Iterator[tuple[Path, Path]]:
    if ini is not None:
        yield ini.parent, ini
    for directory in directories:
        for path in sorted(directory.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield directory, path


def _env(directories: list[Path]) -> str:
    path = directories[0] / "env.py"
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


@contextmanager
def _logging_left_alone() -> Iterator[None]:
    """Keep env.py from configuring the run's logging, which disables all loggers that exist and closes handlers.

    What has imported these functions before is not kept from it: the loggers are switched on again afterwards.
    """
    loggers = [logger for logger in logging.Logger.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    disabled = {logger: logger.disabled for logger in loggers}
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    functions = {name: getattr(logging.config, name) for name in ("fileConfig", "dictConfig")}
    for name in functions:
        setattr(logging.config, name, _configures_nothing)
    try:
        yield
    finally:
        for name, function in functions.items():
            setattr(logging.config, name, function)
        for logger, was in disabled.items():
            logger.disabled = was
        root.handlers[:] = handlers
        root.setLevel(level)


def _configures_nothing(*_arguments: object, **_options: object) -> None:
    """Stand in for what configures logging."""
