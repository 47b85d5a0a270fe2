"""One source as it is read: what it is, in which encoding, what it migrates, and why it cannot be read."""

from __future__ import annotations

import pytest

from pytest_dbguard.linting import reading
from pytest_dbguard.linting.reading import SourceFile, read_source, source_file

REVISION = b"""
from alembic import op
revision = "2"
down_revision = "1"


def upgrade():
    op.drop_column("shops", "city")
    op.execute("SELECT id FROM shops")
"""


def read(path, content, root, **more):
    return read_source(SourceFile(path, content), root, **more)


def test_a_suffix_tells_what_it_is(tmp_path):
    assert [each.text for each in read("a.sql", b"SELECT id FROM t;", tmp_path).snippets] == ["SELECT id FROM t"]
    assert [each.text for each in read("a.py", b"x.execute('SELECT id FROM t')", tmp_path).snippets] == [
        "SELECT id FROM t"
    ]
    assert read("<stdin>", b"SELECT id FROM t;", tmp_path).snippets[0].site.line == 1


@pytest.mark.parametrize(
    "content",
    [
        "x.execute('SELECT id FROM \u00f6l')".encode(),
        "\ufeffx.execute('SELECT id FROM \u00f6l')".encode(),
        "# -*- coding: latin-1 -*-\nx.execute('SELECT id FROM \u00f6l')".encode("latin-1"),
    ],
)
def test_python_tells_its_encoding(tmp_path, content):
    assert [each.text for each in read("a.py", content, tmp_path).snippets] == ["SELECT id FROM \u00f6l"]


@pytest.mark.parametrize("path", ["a.py", "a.sql"])
@pytest.mark.parametrize(
    "content", [b"SELECT \xff\xfe FROM \x00 (", b"def (: SELECT a FROM b", b"# coding: nothing\nSELECT", b""]
)
def test_nothing_that_is_written_breaks_it(tmp_path, path, content):
    found = read(path, content, tmp_path)
    assert all(line.startswith(path) for line in found.problems)


def test_a_revision_is_a_migration_and_holds_statements(tmp_path):
    found = read("versions/two.py", REVISION, tmp_path)
    assert [step.table for step in found.migration.steps] == ["shops"]
    assert [each.text for each in found.snippets] == ["SELECT id FROM shops"]


def test_a_sql_file_with_ddl_is_one_and_others_are_none(tmp_path):
    assert read("a.sql", b"ALTER TABLE shops DROP COLUMN city;", tmp_path).migration is not None
    assert read("a.sql", b"SELECT id FROM shops WHERE how = 'create';", tmp_path).migration is None


def test_what_a_revision_runs_in_belongs_to_it(tmp_path):
    versions = tmp_path / "migrations/versions"
    versions.mkdir(parents=True)
    (versions / "two.py").write_bytes(REVISION)
    (tmp_path / "migrations/env.py").write_text("run()")
    source = source_file(versions / "two.py", tmp_path)
    assert (source.path, source.beside, source.files) == (
        "migrations/versions/two.py",
        b"run()",
        (tmp_path / "migrations/env.py",),
    )


def test_a_dump_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    (tmp_path / "dump.sql").write_text("SELECT id FROM t;")
    found = read_source(source_file(tmp_path / "dump.sql", tmp_path), tmp_path)
    assert found.problems == ("dump.sql: not read (larger than 0 MB)",)


def test_nor_what_is_gone(tmp_path):
    found = read_source(source_file(tmp_path / "gone.sql", tmp_path), tmp_path)
    assert found.problems == ("gone.sql: not read (No such file or directory)",)
