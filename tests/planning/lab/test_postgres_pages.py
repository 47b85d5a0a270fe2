"""Forged pages are as PostgreSQL writes them, to the byte that its own extension pageinspect reads."""

from __future__ import annotations

import pytest

from pytest_dbguard.planning.lab.btree_pages import btree_pages
from pytest_dbguard.planning.lab.page_checksum import with_checksum
from tests.planning.lab.shop_of_postgres import connect

PAGE = 8192


@pytest.fixture(scope="module", params=[18, 15])
def inspector(request, servers):
    """A connection to a database with pageinspect."""
    with connect(servers(request.param)) as connection:
        connection.execute("CREATE DATABASE inspected")
    with connect(servers(request.param), "inspected") as connection:
        connection.execute("CREATE EXTENSION pageinspect")
        yield connection


def pages_of(height, **options):
    content = btree_pages(height, PAGE, **options)
    return [content[at : at + PAGE] for at in range(0, len(content), PAGE)]


@pytest.mark.parametrize("height", [0, 1, 4])
def test_the_first_page_tells_the_height(inspector, height):
    (number,) = inspector.execute("SELECT lo_from_bytea(0, %s)", [btree_pages(height)]).fetchone()
    with inspector.transaction(force_rollback=True):
        inspector.execute("CREATE TABLE plain (id int PRIMARY KEY)")
        (path,) = inspector.execute("SELECT pg_relation_filepath('plain_pkey')").fetchone()
        inspector.execute("SELECT lo_export(%s, %s)", [number, path])
        told = inspector.execute("SELECT root, level, fastroot, fastlevel FROM bt_metap('plain_pkey')").fetchone()
    assert told == (1, height, 1, height)


@pytest.mark.parametrize("height", [0, 1, 4])
def test_headers_are_in_order(inspector, height):
    for page in pages_of(height):
        header = inspector.execute("SELECT lower, upper, special, pagesize, version FROM page_header(%s)", [page])
        lower, upper, special, size, version = header.fetchone()
        assert (special, size, version) == (PAGE - 16, PAGE, 4)
        assert 24 <= lower <= upper <= special


@pytest.mark.parametrize("height", [0, 3])
def test_checksums_are_those_that_the_server_computes(inspector, height):
    for block, page in enumerate(pages_of(height, has_checksums=True)):
        computed, told = inspector.execute(
            "SELECT page_checksum(%s::bytea, %s), (page_header(%s::bytea)).checksum", [page, block, page]
        ).fetchone()
        assert computed == told != 0
        assert with_checksum(page, block) == page
    assert with_checksum(page, block) != with_checksum(page, block + 1)


def test_there_is_one_page_for_each_level_and_one_before():
    assert [len(pages_of(height)) for height in range(6)] == [2, 3, 4, 5, 6, 7]
