"""The settings of our servers, by version."""

from __future__ import annotations

import pytest

from pytest_dbguard.databases.postgres_flags import initdb_arguments, layout_arguments, server_settings


def test_io_workers_are_done_without_where_there_are_any():
    assert "io_method" not in server_settings(17)
    assert server_settings(18)["io_method"] == "sync"


@pytest.mark.parametrize(
    ("major", "expected"),
    [
        (0, ["--wal-segsize=1"]),
        (16, ["--wal-segsize=1"]),
        (17, ["--wal-segsize=1", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]),
        (18, ["--wal-segsize=1", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-data-checksums"]),
    ],
)
def test_what_decides_how_data_lie_depends_on_the_version(major, expected):
    assert layout_arguments(major) == expected


def test_version_13_has_no_word_for_leaving_instructions_out():
    assert "--no-instructions" not in initdb_arguments(13, "C.UTF-8")
    assert "--no-instructions" in initdb_arguments(14, "C.UTF-8")
