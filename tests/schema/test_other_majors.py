"""Catalogs and copies on the majors between and before the two of the other tests."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.programs import examine
from pytest_dbguard.databases.server_launch import launch_server
from pytest_dbguard.databases.server_user import server_user
from pytest_dbguard.schema.catalog import Dialect
from pytest_dbguard.schema.fingerprint import fingerprint_query
from pytest_dbguard.schema.postgres_reflection import reflect_postgres
from tests.databases.installations import install, tarball
from tests.schema.conftest import connect, fetcher, nasty_statements
from tests.schema.test_postgres_transcript import copied, without_invalid_indexes, without_texts


@pytest.fixture(scope="module", params=[14, 16, 17])
def server(request):
    root = Path(tempfile.mkdtemp(prefix="dbguard-schema-installations-", dir="/var/tmp"))
    root.chmod(0o755)
    cache = request.config.cache.mkdir("postgres") if hasattr(request.config, "cache") else root
    user = server_user()
    programs = examine(install(tarball(request.param, cache), root / str(request.param)), user)
    running = launch_server("postgres-local", programs, user, StartOptions()).ready()
    yield running
    running.close()
    shutil.rmtree(root)


def database(server, name):
    with connect(server.url) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    return server.url.set(database=name)


def test_a_schema_is_read_and_copied_there_and_elsewhere(server, databases):
    url = database(server, "nasty")
    with connect(url) as connection:
        has_icu = connection.execute("SELECT count(*) FROM pg_collation WHERE collname = 'und-x-icu'").fetchone()[0]
        connection.execute(nasty_statements(has_icu=bool(has_icu)))
        catalog = without_invalid_indexes(reflect_postgres(fetcher(connection)))
        fingerprint = fetcher(connection)(fingerprint_query(Dialect.POSTGRESQL))[0][0]
        connection.execute("CREATE INDEX more ON a_circle (b)")
        assert fetcher(connection)(fingerprint_query(Dialect.POSTGRESQL))[0][0] != fingerprint
    assert len(catalog.tables) == 24
    assert copied(catalog, database(server, "copy")) == (catalog, ())
    copy, told = copied(catalog, databases.url("postgres-embedded"))
    assert without_texts(copy).tables == without_texts(catalog).tables
    assert has_icu or told == ()
