"""Reads what stands around Alembic's revisions: the env.py beside them, and alembic.ini above."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pytest_dbguard.core.findings import Site

_TIMEOUT = re.compile(r"lock_timeout(?!\s*(=|to)\s*'?0\b)", re.IGNORECASE)
_AUTOCOMMIT = re.compile(r"transactional_ddl\s*=\s*False|isolation_level\s*=\s*['\"]AUTOCOMMIT", re.IGNORECASE)
_OWN_CONNECTION = re.compile(r"engine_from_config|create_(async_)?engine|begin_transaction")
_URL = re.compile(r"^\s*sqlalchemy\.url\s*=\s*([\w+]+)", re.MULTILINE)
_WORDS = (
    # a comparison with "sqlite" says nothing of the database that it is run on otherwise
    ("postgresql", re.compile(r"postgres|asyncpg|psycopg", re.IGNORECASE)),
    ("sqlite", re.compile(r"sqlite(\+\w+)?://|aiosqlite", re.IGNORECASE)),
    ("mysql", re.compile(r"(mysql|mariadb)(\+\w+)?://|pymysql|aiomysql", re.IGNORECASE)),
)


@dataclass(frozen=True, slots=True)
class AlembicEnvironment:
    """What holds for all revisions of a directory.

    Attributes:
        dialect: Of the database; "" where the files name none, or several.
        lock_timeout: Where a limit for waiting is set; None where none is.
        is_transactional: Whether revisions run in transactions, as far as env.py sees to it itself.
    """

    dialect: str = ""
    lock_timeout: Site | None = None
    is_transactional: bool = True


def environment_files(path: str, root: Path) -> tuple[Path, ...]:
    """Return the files around a revision that `environment_of` reads: whoever keeps results must watch them."""
    above = PurePosixPath(path).parents
    scripts = (root / directory / "env.py" for directory in above[:4])
    settings = (root / directory / "alembic.ini" for directory in above)
    found = [next((file for file in files if file.is_file()), None) for files in (scripts, settings)]
    return tuple(file for file in found if file is not None)


def environment_of(path: str, root: Path) -> AlembicEnvironment:
    """Return what the files around a revision say; nothing of those that cannot be read."""
    texts = dict(_texts(path, root))
    both = "\n".join(texts.values())
    timeout = next((_site(name, text, found) for name, text in texts.items() if (found := _TIMEOUT.search(text))), None)
    # whoever gives the connection to env.py decides what it runs in
    is_given = any(name.endswith("env.py") and not _OWN_CONNECTION.search(text) for name, text in texts.items())
    is_transactional = not is_given and _AUTOCOMMIT.search(both) is None
    return AlembicEnvironment(_dialect(both), timeout, is_transactional)


def _texts(path: str, root: Path) -> Iterator[tuple[str, str]]:
    for file in environment_files(path, root):
        try:
            yield file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue


def _site(name: str, text: str, found: re.Match[str]) -> Site:
    return Site(name, text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start()))


def _dialect(text: str) -> str:
    """Return the dialect of the URL in alembic.ini, else the only one that any word names."""
    url = _URL.search(text)
    found = _dialects(f"{url[1]}://" if url else "") or _dialects(text)
    return found[0] if len(found) == 1 else ""


def _dialects(text: str) -> list[str]:
    return [dialect for dialect, pattern in _WORDS if pattern.search(text)]
