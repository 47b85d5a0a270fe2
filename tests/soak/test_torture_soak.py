"""The nasty tests in orders that nobody has chosen; a seed that fails is printed, to be tried again."""

from __future__ import annotations

import os
import random

import pytest

from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.registry import load_provider
from tests.torture.harness import Project, take_snapshot

RUNS = 1 + int(os.environ.get("SOAK_ROUNDS", "40")) // 1000


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    server = load_provider("postgres-embedded").launch(StartOptions()).ready()
    yield take_snapshot(server, tmp_path_factory.mktemp("snapshot"))
    server.close()


@pytest.mark.parametrize(("kind", "database"), [("postgres", "postgres-embedded"), ("sqlite", "sqlite")])
def test_in_any_order(kind, database, snapshot, tmp_path):
    for number in range(RUNS):
        seed = str(random.randrange(2**32))
        print(f"seed {seed}")
        project = Project.copied(kind, tmp_path / str(number), TORTURE_SNAPSHOT=snapshot, TORTURE_SEED=seed)
        result = project.run("-n2", "--dbguard-database", database)
        assert result.surprises() == [], result.output[-3000:]
        assert result.untold_leaks() == []
        assert result.tests > 80
