"""The baseline file: its bytes, and one clear message for every way it can be broken."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dbguard.baseline.document import to_text
from pytest_dbguard.baseline.file import read_baseline, write_baseline
from pytest_dbguard.baseline.model import Baseline, Entry
from pytest_dbguard.core.errors import BaselineError

TWO = Baseline(
    (
        Entry("DBG103", "price", "shop/views.py", "list_orders", 2, ("tests/test_a.py::test_a",)),
        Entry("DBG101", "Bestellung.größe", "shop/cart.py", "Cart.load"),
    )
)
TEXT = """\
{
  "format": 3,
  "findings": [
    {"rule": "DBG101", "subject": "Bestellung.größe", "file": "shop/cart.py", "function": "Cart.load", "places": 1, \
"tests": []},
    {"rule": "DBG103", "subject": "price", "file": "shop/views.py", "function": "list_orders", "places": 2, \
"tests": ["tests/test_a.py::test_a"]}
  ],
  "counts": [],
  "plans": [],
  "planned_with": {},
  "shapes": {}
}
"""
ENTRIES = st.builds(
    Entry,
    rule=st.text(min_size=1, max_size=8),
    subject=st.text(max_size=20),
    file=st.text(max_size=20),
    function=st.text(max_size=10),
    places=st.integers(1, 99),
    tests=st.lists(st.text(max_size=10), max_size=3).map(tuple),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "dbguard-baseline.json"


def message(path, text=None):
    """Return what is said about a file with this content, with the path left out."""
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(BaselineError) as caught:
        read_baseline(path)
    assert str(path) in caught.value.message
    assert caught.value.hint is None or "\n" not in caught.value.hint
    return str(caught.value).replace(str(path), "FILE")


def entry_text(**changes):
    line = {"rule": "DBG101", "subject": "s", "file": "f.py", "function": "f"} | changes
    return json.dumps({"format": 1, "findings": [line]})


def test_one_entry_a_line_sorted_by_place(path):
    write_baseline(path, TWO)
    assert path.read_text(encoding="utf-8") == TEXT
    assert read_baseline(path) == TWO


def test_an_empty_baseline(path):
    write_baseline(path, Baseline())
    assert path.read_text() == (
        '{\n  "format": 3,\n  "findings": [],\n  "counts": [],\n  "plans": [],\n'
        '  "planned_with": {},\n  "shapes": {}\n}\n'
    )
    assert read_baseline(path) == Baseline()


def test_a_missing_file_accepts_nothing(path):
    assert read_baseline(path) == Baseline()


@given(st.lists(ENTRIES, max_size=8).map(tuple))
def test_reading_gives_what_was_written(tmp_path_factory, entries):
    path = tmp_path_factory.mktemp("baseline") / "b.json"
    baseline = Baseline(entries)
    write_baseline(path, baseline)
    again = read_baseline(path)
    assert again == baseline
    assert to_text(again).encode() == path.read_bytes()
    lines = path.read_bytes().decode().rstrip("\n").split("\n")
    assert len(lines) == 8 + len(baseline.entries) + bool(baseline.entries)


def test_order_and_duplicates_in_the_file_do_not_matter(path):
    lines = TEXT.split("\n")
    first, second = lines[3].rstrip(","), lines[4]
    path.write_text('{"format": 1, "findings": [' + ",".join([second, first, second]) + "]}", encoding="utf-8")
    assert to_text(read_baseline(path)) == TEXT


def test_an_unchanged_file_is_not_touched(path):
    write_baseline(path, TWO)
    before = path.stat()
    write_baseline(path, TWO)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_writing_keeps_the_mode_makes_directories_and_leaves_no_other_file(tmp_path):
    path = tmp_path / "deep" / "er" / "b.json"
    write_baseline(path, Baseline())
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600
    path.chmod(0o664)
    write_baseline(path, TWO)
    assert stat.S_IMODE(path.stat().st_mode) == 0o664
    assert [each.name for each in path.parent.iterdir()] == ["b.json"]


def test_writing_follows_a_symbolic_link(tmp_path):
    target, link = tmp_path / "real.json", tmp_path / "link.json"
    link.symlink_to(target)
    write_baseline(link, TWO)
    assert link.is_symlink()
    assert read_baseline(target) == TWO


def test_a_crash_while_writing_leaves_the_old_content(path, monkeypatch):
    write_baseline(path, TWO)

    def fail(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(BaselineError, match="cannot write the baseline .*: No space left on device"):
        write_baseline(path, Baseline())
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert read_baseline(path) == TWO


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BaselineError, match="cannot write the baseline") as caught:
        write_baseline(tmp_path / "file" / "b.json", TWO)
    assert caught.value.hint == "choose another place with --dbguard-baseline PATH"


def test_a_newer_format(path):
    assert message(path, '{"format": 4, "entries": {}}') == (
        "FILE: format 4 is not supported, only formats 1, 2 and 3 are\n"
        "  it was written by a newer pytest-dbguard: update this one, or delete the file and accept the findings again "
        "with --dbguard-update-baseline"
    )


@pytest.mark.parametrize("found", ["0", '"1"', "true", "1.0", "null"])
def test_other_formats(path, found):
    text = message(path, f'{{"format": {found}, "findings": []}}')
    assert text.startswith(
        f"FILE: format {json.loads(found)!r} is not supported, only formats 1, 2 and 3 are\n  delete the file"
    )


@pytest.mark.parametrize("text", ["[]", "{}", "3", '{"findings": []}'])
def test_another_json_file(path, text):
    assert message(path, text).startswith('FILE: not a baseline: the key "format" is missing\n  delete the file')


def test_broken_json_names_line_and_column(path):
    text = TEXT.replace('"places": 2, ', '"places": 2 ')
    column = text.split("\n")[4].index('"tests"') + 1
    assert message(path, text).startswith(f"FILE:5:{column}: not valid JSON: Expecting ',' delimiter\n  mend it, or ")


def test_an_empty_file(path):
    assert message(path, "").startswith("FILE:1:1: not valid JSON: Expecting value")


def test_merge_conflict_markers(path):
    lines = TEXT.split("\n")
    text = "\n".join([*lines[:3], "<<<<<<< HEAD", lines[3], "=======", lines[4], ">>>>>>> feature", *lines[5:]])
    told = message(path, text)
    assert told.startswith("FILE:4: a merge conflict is not resolved: '<<<<<<< HEAD'\n  keep the entries of both sides")


def test_markers_inside_of_strings_are_no_conflict(path):
    write_baseline(path, Baseline((Entry("DBG101", "<<<<<<< a\n=======\n", "f.py", "f"),)))
    assert read_baseline(path).entries[0].subject == "<<<<<<< a\n=======\n"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"places": 0}, "findings[0].places: input should be greater than or equal to 1, not 0"),
        ({"places": "2"}, "findings[0].places: input should be a valid integer, not '2'"),
        ({"subjekt": "s"}, "findings[0].subjekt: unknown key, did you mean 'subject'?"),
        ({"zzz": 1}, "findings[0].zzz: unknown key"),
        ({"tests": [1]}, "findings[0].tests[0]: input should be a valid string, not 1"),
        ({"rule": ""}, "findings[0].rule: string should have at least 1 character, not ''"),
    ],
)
def test_a_wrong_entry(path, changes, told):
    assert message(path, entry_text(**changes)).split("\n")[0] == f"FILE: {told}"


def test_missing_keys_and_many_problems(path):
    told = message(path, '{"format": 1, "findings": [{}, {}], "comment": "x"}').split("\n")
    assert told[0] == "FILE: findings[0].rule: missing"
    assert told[5] == "FILE: and 4 more problems"


def test_a_wrong_top_level_key(path):
    assert message(path, '{"format": 1, "findings": [], "finding": 1}').split("\n")[0] == (
        "FILE: finding: unknown key, did you mean 'findings'?"
    )


def test_files_that_are_no_text(path, tmp_path):
    path.write_bytes(b'{"format": 1, \xff}')
    assert message(path).startswith("FILE: not UTF-8 text (byte 14)\n")
    assert message(tmp_path) == "cannot read the baseline FILE: Is a directory"


def test_json_nested_too_deeply(path):
    assert message(path, "[" * 200_000).startswith("FILE: JSON nested too deeply")


def test_a_byte_order_mark_is_no_problem(path):
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert read_baseline(path) == TWO
