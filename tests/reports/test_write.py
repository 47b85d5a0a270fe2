"""Reports in files: complete or not at all, and announced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_dbguard.core.errors import ReportError
from pytest_dbguard.reports.registry import ReportTarget, parse_report
from pytest_dbguard.reports.write import render, write_report


def test_a_file_below_the_root_directory(make_verdict, context, shop):
    line = write_report(parse_report("json"), make_verdict(), context())
    assert line == "Wrote JSON report to .dbguard/report.json"
    assert json.loads((shop / ".dbguard/report.json").read_text("utf-8"))["format"] == 1


def test_an_absolute_destination(make_verdict, context, tmp_path_factory):
    path = tmp_path_factory.mktemp("elsewhere") / "deep" / "r.txt"
    assert (
        write_report(ReportTarget("concise", str(path)), make_verdict(), context()) == f"Wrote concise report to {path}"
    )
    assert path.read_text("utf-8") == render(ReportTarget("concise"), make_verdict(), context())


def test_files_hold_no_colours(make_verdict, context, shop):
    write_report(ReportTarget("term", "r.txt"), make_verdict(), context(color=True))
    assert "\033" not in (shop / "r.txt").read_text("utf-8")
    assert "\033" in render(ReportTarget("term"), make_verdict(), context(color=True))


def test_the_terminal_is_not_written_to(make_verdict, context):
    assert write_report(parse_report("term"), make_verdict(), context()) is None


def test_the_file_is_replaced(make_verdict, context, shop):
    (shop / "r.json").write_text("x" * 100_000)
    write_report(ReportTarget("json", "r.json"), make_verdict(), context())
    assert json.loads((shop / "r.json").read_text("utf-8"))
    assert sorted(path.name for path in shop.iterdir()) == ["r.json", "shop"]


@pytest.mark.parametrize("destination", ["shop", "shop/orders.py/r.json"])
def test_a_destination_that_cannot_be_written(make_verdict, context, destination):
    with pytest.raises(ReportError) as caught:
        write_report(ReportTarget("json", destination), make_verdict(), context())
    assert caught.value.message.startswith(f"cannot write the JSON report to '{destination}': ")
    assert caught.value.hint == "choose another place: json:DEST"


def test_a_directory_that_is_read_only(make_verdict, context, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(ReportError, match="to 'r.json': Permission denied"):
        write_report(ReportTarget("json", "r.json"), make_verdict(), context())


def test_what_is_no_file_is_written_to(make_verdict, context):
    assert (
        write_report(ReportTarget("json", "/dev/null"), make_verdict(), context()) == "Wrote JSON report to /dev/null"
    )
    assert Path("/dev/null").is_char_device()
