"""Excerpts of sources: columns, tabs, wide characters, long lines, and files that cannot be read."""

from __future__ import annotations

import pytest

from pytest_dbguard.core.findings import Severity, Site
from pytest_dbguard.reports.excerpt import Excerpt, draw
from pytest_dbguard.reports.source import MAX_SOURCE_BYTES, SourceReader, Underline
from pytest_dbguard.reports.style import Style


@pytest.fixture
def read(tmp_path):
    """Return (shown line, what the carets stand under) of a site in a file with this content."""

    def read(content, line, column=None, end_line=None, end_column=None, encoding="utf-8"):
        (tmp_path / "s.py").write_bytes(content.encode(encoding))
        reader = SourceReader(tmp_path)
        site = Site("s.py", line, column, "", end_line, end_column)
        shown, underline = reader.line("s.py", line), reader.underline(site)
        return (shown and shown.text, underline)

    return read


def drawn(text, underline, width, label="40 queries"):
    from pytest_dbguard.reports.source import SourceLine

    lines = list(draw(Excerpt((SourceLine(7, text),), underline), label, Severity.ERROR, Style(False), width))
    assert lines[0] == lines[-1] == "   |"
    return lines[1:-1]


def test_carets_under_the_columns(read):
    assert read("a = load(b.c)\n", 1, 10, 1, 13) == ("a = load(b.c)", Underline(9, 3))


def test_columns_are_characters_and_carets_are_cells(read):
    line = 'x = "日本"; ä.b'
    start = line.index("ä") + 1
    assert read(line, 1, start, 1, start + len("ä.b")) == (line, Underline(12, 3))


def test_combining_characters_take_no_cell(read):
    assert read("e\u0301 = a.b", 1, len("e\u0301 = ") + 1, 1, 99) == ("e\u0301 = a.b", Underline(4, 3))


def test_tabs_are_shown_as_spaces(read):
    assert read("\tif a:\n\tab\t= c\n", 2, 5, 2, 8) == ("    ab  = c", Underline(8, 3))


def test_several_lines_are_marked_to_the_end_of_the_first(read):
    assert read("return session.scalars(  \n    select(A)\n)\n", 1, 8, 3, 2) == (
        "return session.scalars(",
        Underline(7, 16),
    )


@pytest.mark.parametrize(
    ("column", "end_column", "underline"),
    [
        (None, None, None),
        (3, None, Underline(2, 1)),
        (50, 60, None),
        (3, 2, Underline(2, 1)),
        (3, 900, Underline(2, 3)),
    ],
)
def test_odd_columns(read, column, end_column, underline):
    assert read("a.b.c\n", 1, column, 1, end_column) == ("a.b.c", underline)


def test_declared_encodings_are_honoured(read):
    content = "# -*- coding: latin-1 -*-\nä = größe.x\n"
    assert read(content, 2, 5, 2, 11, "latin-1") == ("ä = größe.x", Underline(4, 6))


def test_form_feeds_are_no_line_ends(read):
    assert read("a\x0cb\x85c\u2028d\nsecond\n", 2, 1, 2, 7) == ("second", Underline(0, 6))


@pytest.mark.parametrize("line", [0, -1, 3, 10**9])
def test_lines_that_are_not_there(read, line):
    assert read("one\ntwo", line) == (None, None)


def test_files_that_cannot_be_read(tmp_path, read):
    reader = SourceReader(tmp_path)
    (tmp_path / "large.py").write_bytes(b"#" * (MAX_SOURCE_BYTES + 1))
    (tmp_path / "wrong.py").write_bytes(b"a = '\xff'\n")
    (tmp_path / "unknown.py").write_bytes(b"# coding: klingon\n")
    names = ["gone.py", ".", "<string>", "a\0b", "large.py", "wrong.py", "unknown.py", "/dev/zero", "x" * 5000]
    assert [reader.line(name, 1) for name in names] == [None] * len(names)


def test_a_file_is_read_once(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("first\n")
    reader = SourceReader(tmp_path)
    assert reader.line("a.py", 1).text == "first"
    path.write_text("second\n")
    assert reader.line("a.py", 1).text == "first"
    assert SourceReader(tmp_path).line("a.py", 1).text == "second"


def test_absolute_paths_outside_of_the_root(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    assert SourceReader(tmp_path / "root").line(str(tmp_path / "a.py"), 1).text == "x = 1"


def test_the_label_stands_beside_the_carets_where_it_fits():
    assert drawn("total = order.lines", Underline(8, 11), 80) == [
        " 7 | total = order.lines",
        "   |         ^^^^^^^^^^^ 40 queries",
    ]


def test_the_label_stands_below_the_carets_where_it_does_not_fit():
    assert drawn("total = order.lines", Underline(8, 11), 30) == [
        " 7 | total = order.lines",
        "   |         ^^^^^^^^^^^",
        "   |         40 queries",
    ]


def test_common_indentation_goes_first():
    assert drawn(" " * 30 + "f(order.lines)", Underline(32, 11), 40, "") == [
        " 7 | f(order.lines)",
        "   |   ^^^^^^^^^^^",
    ]


def test_a_long_line_is_shown_around_its_carets():
    text = "x = " + "a + " * 20 + "order.lines" + " + b" * 20
    start = text.index("order.lines")
    assert drawn(text, Underline(start, 11), 40, "") == [
        " 7 | …+ a + a + a + a + a + order.lines…",
        "   | " + " " * 23 + "^" * 11,
    ]


def test_a_long_line_whose_carets_are_at_its_start_is_cut():
    assert drawn("order.lines + " * 9, Underline(0, 11), 40, "")[0] == " 7 | order.lines + order.lines + order.…"


def test_carets_wider_than_the_room_start_at_their_place():
    text = "y = " * 10 + "z" * 200
    line, carets = drawn(text, Underline(40, 200), 40, "")
    assert line == " 7 | …" + "z" * 33 + "…"
    assert carets == "   |  " + "^" * 34
