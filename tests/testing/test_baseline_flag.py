"""Accepting findings: `--dbguard-update-baseline` and what later runs make of the file."""

from __future__ import annotations

import json

import pytest

FILE = "dbguard-baseline.json"


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "xdist"])
def test_adoption_is_one_command(project, workers):
    result = project.run("--dbguard", "--dbguard-update-baseline", *workers)
    assert result.ret == 0
    result = project.run("--dbguard", *workers)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["dbguard: 3 tests, * queries, no new findings (1 in the baseline)."])


def test_identity_survives_moved_lines(project):
    project.run("--dbguard", "--dbguard-update-baseline")
    before = (project.path / FILE).read_text()
    project.write("shop.py", "# moved\n# down\n" + (project.path / "shop.py").read_text())
    assert project.run("--dbguard").ret == 0
    project.run("--dbguard", "--dbguard-update-baseline")
    assert (project.path / FILE).read_text() == before


def test_new_finding_beside_a_known_one_fails(project):
    project.run("--dbguard", "--dbguard-update-baseline")
    source = (project.path / "shop.py").read_text()
    project.write(
        "shop.py", source + "\n\ndef ids(session):\n    return [session.get(Order, pk).id for pk in (1, 2, 3)]\n"
    )
    project.write(
        "test_ids.py",
        "from test_shop import session\nfrom shop import ids\n\ndef test_ids(session):\n    ids(session)\n",
    )
    result = project.run("--dbguard")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["error[[]DBG103] statement-in-loop*", "*1 new finding in*"])
    result.stdout.no_fnmatch_line("error[[]DBG101]*")


def test_partial_update_keeps_what_did_not_run(project):
    project.run("--dbguard", "--dbguard-update-baseline")
    before = (project.path / FILE).read_text()
    project.run("--dbguard", "--dbguard-update-baseline", "-k", "test_one")
    assert (project.path / FILE).read_text() == before


def test_file_holds_no_lines_and_no_values(project):
    project.run("--dbguard", "--dbguard-update-baseline")
    document = json.loads((project.path / FILE).read_text())
    assert document["format"] == 3
    (entry,) = document["findings"]
    assert entry["rule"] == "DBG101"
    assert entry["subject"] == "Order.customer"
    assert (entry["file"], entry["function"]) == ("shop.py", "names")
    assert "secret" not in (project.path / FILE).read_text()


def test_without_a_baseline_everything_is_new(project):
    project.run("--dbguard", "--dbguard-update-baseline")
    assert project.run("--dbguard", "--dbguard-baseline=none").ret == 1


def test_other_place(project):
    project.run("--dbguard", "--dbguard-update-baseline", "--dbguard-baseline=ci/accepted.json")
    assert (project.path / "ci/accepted.json").exists()
    assert project.run("--dbguard", "--dbguard-baseline=ci/accepted.json").ret == 0


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "xdist"])
def test_what_no_longer_occurs_is_told_and_pruned_by_full_runs_only(project, workers):
    project.run("--dbguard", "--dbguard-update-baseline")
    source = (project.path / "shop.py").read_text()
    project.write(
        "shop.py",
        source.replace("return [order.customer.name for order in orders]", "return ['secret-0'] * len(orders)"),
    )
    result = project.run("--dbguard", *workers)
    result.stdout.fnmatch_lines(["1 baseline entry no longer occurs: *--dbguard-prune-baseline*"])
    project.run("--dbguard", "--dbguard-prune-baseline", "-k", "names", *workers)
    assert "DBG101" in (project.path / FILE).read_text()
    result = project.run("--dbguard", "--dbguard-prune-baseline", *workers)
    assert result.ret == 0
    assert "DBG101" not in (project.path / FILE).read_text()


def test_a_new_loop_over_an_accepted_function_is_new(project):
    source = (project.path / "shop.py").read_text()
    get = "\n\ndef get(session, pk):\n    return session.get(Order, pk)\n"
    old = "\n\ndef old(session):\n    return [get(session, pk) for pk in (1, 2, 3)]\n"
    project.write("shop.py", source + get + old)
    test = "from test_shop import session\nimport shop\n\n\ndef test_{0}(session):\n    shop.{0}(session)\n"
    project.write("test_old.py", test.format("old"))
    project.run("--dbguard", "--dbguard-update-baseline")
    project.write("shop.py", source + get + old.replace("old", "brand_new") + old)
    project.write("test_brand_new.py", test.format("brand_new"))
    result = project.run("--dbguard")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*= loop:*in brand_new", "*1 new finding in*"])


def test_a_partial_run_says_that_it_does_not_prune(project):
    result = project.run("--dbguard", "--dbguard-prune-baseline", "-k", "test_one")
    result.stdout.fnmatch_lines(["dbguard: nothing is pruned, since only some of the tests ran"])
