"""SQLite: a copy of a template file for each test."""

from __future__ import annotations

import shutil

import pytest
from models import Base
from sqlalchemy import create_engine
from sqlalchemy.orm import Session


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "template.db"
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture
def session(template):
    path = template.with_name("copy.db")
    shutil.copyfile(template, path)
    engine = create_engine(f"sqlite:///{path}")
    with Session(engine) as session:
        yield session
    engine.dispose()
    path.unlink()
