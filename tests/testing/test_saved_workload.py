"""A run that saves what its tests ran: the same file with and without xdist, whichever rules judge it."""

from __future__ import annotations

import re

from pytest_dbguard.planning.workload_file import read_document, read_workload

RUN = ("--dbguard", "--dbguard-ignore=DBG2,DBG3", "--dbguard-save-workload=kept/workload.json")


def test_one_process_and_xdist_save_the_same(project):
    path = project.path / "kept" / "workload.json"
    result = project.run(*RUN)
    result.stdout.fnmatch_lines(["Saved * statements to kept/workload.json"])
    alone = path.read_text()
    path.unlink()
    project.run("-n2", *RUN)
    made = re.compile('"made": "[^"]*"')
    assert made.sub("", path.read_text()) == made.sub("", alone)
    assert "secret" not in alone
    assert read_document(path).source == "run"
    ((workload, catalog),) = read_workload(path)
    assert [table.name for table in catalog.tables] == ["customer", "orders"]
    place = {
        use.site.label: use.count
        for each in workload.statements
        for use in each.uses
        if "FROM customer" in each.shape.text
    }
    assert place == {"shop.py:35": 6, "shop.py:39": 1}


def test_wrong_use_is_told_before_any_test(project):
    alone = project.run("--dbguard-save-workload=kept.json")
    assert alone.ret == 4
    alone.stderr.fnmatch_lines(["*--dbguard-save-workload needs --dbguard*"])
    directory = project.run("--dbguard", "--dbguard-save-workload=.")
    assert directory.ret == 4
    directory.stderr.fnmatch_lines(["*--dbguard-save-workload .: is a directory*"])
