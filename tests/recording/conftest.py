"""What tests of the recorder share: an open recorder, and code in a file of its own as an application has it."""

from __future__ import annotations

import linecache
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from pytest_dbguard.recording.listeners import Listeners
from pytest_dbguard.recording.model import Statement
from pytest_dbguard.recording.ownership import Ownership
from pytest_dbguard.recording.recorder import Recorder
from pytest_dbguard.recording.scopes import Scope

# the models of `application.py` serve here too
sys.path.insert(0, str(Path(__file__).parent.parent / "rules"))
sys.path.insert(0, str(Path(__file__).parent))


class Watch:
    """A recorder with its listeners and one scope, open from the start."""

    def __init__(self, root: Path) -> None:
        self.recorder = Recorder(Ownership(root))
        self.listeners = Listeners(self.recorder)
        self.scope = Scope("the test", "call")

    def start(self) -> None:
        self.listeners.attach()
        self.recorder.open(self.scope)

    def stop(self) -> None:
        self.recorder.close()
        self.listeners.detach()

    @property
    def statements(self) -> tuple[Statement, ...]:
        return self.scope.recording().statements

    @property
    def verbs(self) -> list[str]:
        return [statement.text.verb for statement in self.statements]

    @property
    def count(self) -> int:
        return self.scope.count

    @property
    def lines(self) -> list[int]:
        """The lines of the application that the statements ran on."""
        return [statement.site.line for statement in self.statements]

    @property
    def shapes(self) -> Counter[str]:
        return Counter(statement.sql for statement in self.statements)


@pytest.fixture(scope="session")
def shop_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled database to copy."""
    from application import Base, fill

    path = tmp_path_factory.mktemp("shop") / "shop.db"
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    fill(engine)
    engine.dispose()
    return path


@pytest.fixture
def database_file(shop_file: Path, tmp_path: Path) -> Path:
    """A filled database of the test's own; a file, so that threads and drivers meet in it."""
    return Path(shutil.copy(shop_file, tmp_path / "shop.db"))


@pytest.fixture
def engine(database_file: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{database_file}")
    yield engine
    engine.dispose()


@pytest.fixture
async def async_engine(database_file: Path) -> AsyncIterator[AsyncEngine]:
    # no pool: clients of web frameworks bring event loops of their own, and a connection belongs to one
    engine = create_async_engine(f"sqlite+aiosqlite:///{database_file}", poolclass=NullPool)
    yield engine
    await engine.dispose()


@pytest.fixture
def watch(tmp_path: Path, engine: Engine) -> Iterator[Watch]:
    """A recorder that listens while the test runs. What lies in `tmp_path` is the application."""
    watch = Watch(tmp_path)
    watch.start()
    yield watch
    watch.stop()
    assert watch.recorder.faults == []


@pytest.fixture
def make_watch(tmp_path: Path) -> Iterator[Callable[[], Watch]]:
    """A function that makes recorders; they are removed at the end."""
    made: list[Watch] = []

    def make() -> Watch:
        made.append(Watch(tmp_path))
        return made[-1]

    yield make
    for watch in made:
        watch.stop()


@pytest.fixture
def application(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A function that runs code in a file below `tmp_path` and returns its names."""

    def run(code: str, name: str = "shop.py", **names: Any) -> dict[str, Any]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(code).lstrip("\n"))
        linecache.checkcache(str(path))
        names["__name__"] = path.stem
        exec(compile(path.read_text(), str(path), "exec"), names)
        return names

    return run
