"""py-pglite: PostgreSQL as WebAssembly in Node.js, emptied before each test by its own fixture."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from models import Base
from py_pglite.config import PGliteConfig
from py_pglite.sqlalchemy import fixtures

pglite_sqlalchemy_manager = fixtures.pglite_sqlalchemy_manager
pglite_session = fixtures.pglite_session


@pytest.fixture(scope="session")
def pglite_config():
    # What npm installs is kept here from run to run, as a project keeps its node_modules; the script that it writes
    # besides is kept too, and with it the socket's path.
    directory = Path(os.environ["BENCH_CACHE"]) / "pglite"
    directory.mkdir(exist_ok=True)
    return PGliteConfig(work_dir=directory, socket_path=str(directory / ".s.PGSQL.5432"))


@pytest.fixture(scope="session")
def pglite_engine(pglite_sqlalchemy_manager):
    engine = pglite_sqlalchemy_manager.get_engine()
    Base.metadata.create_all(engine)
    return engine


@pytest.fixture
def session(pglite_session):
    return pglite_session
