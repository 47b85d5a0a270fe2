"""What the comment of a database of ours says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pytest_dbguard.templates.marks import Kind, Mark, project_key, read_mark


def test_a_mark_reads_as_it_was_written():
    mark = Mark(Kind.KEPT, run="0a", key="k", project="p", test="tests/test_a.py::test_é").used_now()
    assert read_mark(mark.comment()) == mark


@pytest.mark.parametrize(
    "comment",
    [None, "", "our database", "{", "[]", "1", '{"kind": "copy"}', '{"dbguard": 2, "kind": "copy"}',
     '{"dbguard": 1}', '{"dbguard": 1, "kind": "other"}', '{"dbguard": 1, "kind": []}'],
)  # fmt: skip
def test_other_comments_are_no_marks(comment):
    assert read_mark(comment) is None


def test_marks_that_others_have_written_are_read_too():
    assert read_mark('{"dbguard": 1, "kind": "kept", "used": "2030-01-02", "more": 1}') == Mark(
        Kind.KEPT, used="2030-01-02"
    )


def test_when_it_was_used():
    now = datetime(2030, 1, 2, 3, 4, 5, 678, UTC)
    assert Mark(Kind.COPY).used_now(now).used_at == now.replace(microsecond=0)
    assert Mark(Kind.COPY, used="2030-01-02").used_at == datetime(2030, 1, 2, tzinfo=UTC)
    assert now - Mark(Kind.COPY, used="nonsense").used_at > now - Mark(Kind.COPY, used="2001-01-01").used_at


def test_a_project_is_told_by_a_hash(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert project_key(tmp_path) == project_key(tmp_path / "." / "x" / "..") != project_key(tmp_path.parent)
    assert str(tmp_path) not in project_key(tmp_path)
    assert project_key(None) == ""
