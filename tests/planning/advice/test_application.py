"""What only tests run is no reason for an index."""

from __future__ import annotations

from dataclasses import replace

from pytest_dbguard.planning.advice.application import ONLY_TESTS, of_application
from pytest_dbguard.planning.workload import Use, Workload
from tests.planning.advice.workloads import statement

BY_APPLICATION = Use(None, 5, ())
BY_TEST = Use(None, 70, (), in_test_code=True)


def run_by(*uses):
    return replace(statement(0, "SELECT 1"), uses=uses)


def test_what_only_tests_run_is_left_out_and_counted():
    found = of_application(Workload("s", (run_by(BY_TEST), run_by(BY_APPLICATION)), {"no catalog": 2, ONLY_TESTS: 1}))
    assert [each.uses for each in found.statements] == [(BY_APPLICATION,)]
    assert found.skipped == {"no catalog": 2, ONLY_TESTS: 2}


def test_what_both_run_counts_as_often_as_the_application_ran_it():
    (found,) = of_application(Workload("s", (run_by(BY_APPLICATION, BY_TEST),))).statements
    assert found.count == 5


def test_what_nobody_knows_the_places_of_stays():
    workload = Workload("s", (run_by(),))
    assert of_application(workload) == workload
