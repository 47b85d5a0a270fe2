"""What a run with `--dbguard` says and how it ends, as users see it."""

from __future__ import annotations

import json

import pytest

WITH_AND_WITHOUT_XDIST = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "xdist"])


@WITH_AND_WITHOUT_XDIST
def test_new_finding_fails_the_run(project, workers):
    result = project.run("--dbguard", *workers)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*= dbguard =*",
            "error[[]DBG101] n-plus-one: `Order.customer` is loaded once for each `Order`:*",
            "*--> shop.py:35:13 in names",
            "*= origin: shop.py:34 in names",
            "*= help:*load `Order.customer`*",
            "*select(Order).options(*",
            "*= more:   dbguard explain DBG101",
            "*!!! dbguard: 1 new finding (1 error), fail-on=warning !!!*",
            "*3 passed, 1 new finding in*",
        ]
    )


@WITH_AND_WITHOUT_XDIST
def test_findings_are_the_same_in_any_number_of_processes(project, workers):
    (finding,) = project.findings(*workers)
    assert finding["rule"] == "DBG101"
    assert finding["subject"] == "Order.customer"
    assert finding["severity"] == "error"
    assert finding["count"] == 3
    assert finding["status"] == "new"
    assert finding["tests"] == ["test_shop.py::test_names", "test_shop.py::test_names_again"]
    assert (finding["site"]["file"], finding["site"]["line"]) == ("shop.py", 35)
    assert (finding["origin"]["file"], finding["origin"]["line"]) == ("shop.py", 34)
    assert (finding["loop"]["file"], finding["loop"]["line"]) == ("shop.py", 35)
    assert not finding["in_test_code"]


def test_reports_are_equal_byte_for_byte_but_for_times(project):
    reports = []
    for workers in ((), ("-n2",), ("-p", "no:randomly")):
        project.findings(*workers)
        report = json.loads((project.path / "report.json").read_text())
        del report["timing"]
        reports.append(json.dumps(report))
    assert len(set(reports)) == 1


def test_no_value_of_the_database_is_in_any_output(project):
    result = project.run("--dbguard", "-v", "--dbguard-report=json:report.json", "--dbguard-report=concise:report.txt")
    shown = result.stdout.str() + (project.path / "report.json").read_text() + (project.path / "report.txt").read_text()
    assert "secret" not in shown.replace("test_shop", "")


def test_clean_run_says_one_line(project):
    result = project.run("--dbguard", "-k", "test_one")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["dbguard: 1 test, 2 queries, no new findings."])
    result.stdout.no_fnmatch_line("*DBG*")


def test_without_the_flag_nothing_is_said(project):
    result = project.run()
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*DBG101*")
    result.stdout.no_fnmatch_line("dbguard:*")


def test_ini_key_switches_on(project):
    project.write("pytest.ini", "[pytest]\ndbguard = true\naddopts = -p no:cacheprovider -p no:asyncio\n")
    assert project.run().ret == 1


def test_no_dbguard_wins(project):
    result = project.run("--dbguard", "--no-dbguard")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["dbguard: off (--no-dbguard)"])


def test_plugin_can_be_blocked(project):
    assert project.run("-p", "no:dbguard").ret == 0


def test_brief(project):
    result = project.run("--dbguard", "-q")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["shop.py:35:13: DBG101 n-plus-one: `Order.customer` is loaded once for each*"])


def test_eighty_columns(project):
    result = project.run("--dbguard")
    shown = result.stdout.str().split("= dbguard =")[1]
    assert max(len(line) for line in shown.splitlines()) <= 80


def test_fail_on_never(project):
    assert project.run("--dbguard", "--dbguard-fail-on=never").ret == 0


def test_failing_test_stays_failed_and_finding_is_told(project):
    project.write("test_more.py", "def test_wrong():\n    assert False\n")
    result = project.run("--dbguard")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*1 failed, 3 passed, 1 new finding in*"])


def test_select_and_ignore(project):
    assert project.run("--dbguard", "--dbguard-ignore=n-plus-one").ret == 0
    assert project.run("--dbguard", "--dbguard-select=DBG0,DBG103", "-x").ret == 4
    assert project.run("--dbguard", "--dbguard-select=DBG103,DBG104").ret == 0
    assert project.run("--dbguard", "--dbguard-select=DBG1").ret == 1


def test_severity_and_threshold_from_the_configuration(project):
    project.write("dbguard.toml", "[rules.n-plus-one]\nthreshold = 4\n")
    assert project.run("--dbguard").ret == 0
    project.write("dbguard.toml", '[rules.DBG101]\nseverity = "note"\n')
    result = project.run("--dbguard")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["1 note, one line each*", "shop.py:*: DBG101 n-plus-one: *"])


def test_slow_query_is_a_note_unless_it_is_to_gate(project):
    result = project.run("--dbguard", "--dbguard-slow-ms=0.000001", "-k", "test_one")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["2 notes, one line each*", "shop.py:*: DBG601 slow-query: *"])
    project.write("dbguard.toml", 'slow-ms = 0.000001\n[rules.slow-query]\nseverity = "warning"\n')
    assert project.run("--dbguard", "-k", "test_one").ret == 1


def test_budget_by_flag_and_marker(project):
    assert project.run("--dbguard", "--dbguard-max-queries=1", "-k", "test_one").ret == 1
    assert project.run("--dbguard", "--dbguard-max-queries=2", "-k", "test_one").ret == 0
    project.write(
        "test_budget.py",
        """
        import pytest
        from test_shop import session
        from shop import one_name

        @pytest.mark.dbguard(max_queries=1)
        def test_budget(session):
            one_name(session, 1)
        """.replace("\n        ", "\n"),
    )
    result = project.run("--dbguard", "test_budget.py")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["error[[]DBG901] query-budget: 2 queries, at most 1 are allowed*"])


def test_show_queries_of_failing_tests(project):
    project.write(
        "test_fail.py",
        "from test_shop import session\nfrom shop import names\n\n\n"
        "def test_fails(session):\n    assert not names(session)\n",
    )
    result = project.run("--dbguard", "--dbguard-show-queries", "test_fail.py")
    result.stdout.fnmatch_lines(["*- dbguard queries -*", "3 x SELECT*customer*shop.py:35 in names"])


def test_inline_ignores(project):
    for marked in ("orders = session.scalars(select(Order)).all()", "return [order.customer.name for order in orders]"):
        source = (project.path / "shop.py").read_text()
        project.write("shop.py", source.replace(marked, f"{marked}  # dbguard: ignore[DBG101] three rows at most"))
        result = project.run("--dbguard")
        assert result.ret == 0, marked
        project.write("shop.py", source)


def test_marker_ignores_and_switches_off(project):
    tests = (project.path / "test_shop.py").read_text()
    for arguments in ("ignore=['n-plus-one'], reason='known'", "off=True"):
        project.write(
            "test_shop.py", tests.replace("def test_names", f"@pytest.mark.dbguard({arguments})\ndef test_names")
        )
        assert project.run("--dbguard").ret == 0, arguments


def test_defect_of_a_test_is_a_note_about_the_test(project):
    project.write(
        "test_loop.py",
        """
        from test_shop import session
        from shop import Order
        from sqlalchemy import select

        def test_loop(session):
            for order in session.scalars(select(Order)).all():
                assert order.customer.name
        """.replace("\n        ", "\n"),
    )
    result = project.run("--dbguard", "test_loop.py")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["1 finding about test code*--dbguard-test-code=report*"])
    assert project.run("--dbguard", "--dbguard-test-code=report", "test_loop.py").ret == 1
    result = project.run("--dbguard", "--dbguard-test-code=off", "test_loop.py")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*about test code*")
    (finding,) = project.findings("test_loop.py")
    assert (finding["in_test_code"], finding["severity"]) == (True, "note")


def test_seeding_in_fixtures_is_silent_and_application_code_in_fixtures_is_not(project):
    project.write(
        "test_seed.py",
        """
        import pytest
        from shop import Customer, make_engine, names
        from sqlalchemy.orm import Session

        @pytest.fixture
        def seeded():
            with Session(make_engine()) as session:
                for i in range(3):
                    session.add(Customer(name="x"))
                    session.flush()
                yield session

        @pytest.fixture(scope="module")
        def report():
            with Session(make_engine()) as session:
                return names(session)

        def test_seeded(seeded):
            assert seeded

        def test_report(report):
            assert report

        def test_report_again(report):
            assert report
        """.replace("\n        ", "\n"),
    )
    result = project.run("--dbguard", "--dbguard-test-code=report", "test_seed.py", "-k", "seeded")
    assert result.ret == 0
    findings = project.findings("test_seed.py", "-n2")
    (finding,) = [f for f in findings if f["severity"] != "note"]
    assert finding["subject"] == "Order.customer"
    assert finding["tests"] == ["test_seed.py::report"]


def test_a_rule_that_raises_costs_no_test_result(project):
    project.write(
        "conftest.py",
        """
        from pytest_dbguard.rules.statement_in_loop import StatementInLoop

        def broken(self, recording, context):
            raise ZeroDivisionError("in the rule")

        StatementInLoop.check = broken
        """.replace("\n        ", "\n"),
    )
    result = project.run("--dbguard", "-k", "test_one")
    assert result.ret == 3
    result.assert_outcomes(passed=1, deselected=2)
    result.stdout.fnmatch_lines(["dbguard itself failed once: rule DBG103: ZeroDivisionError: in the rule*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_hypothesis_examples_and_subtests_are_judged_apart(project):
    project.write(
        "test_many.py",
        """
        from hypothesis import HealthCheck, given, settings, strategies
        from test_shop import session
        from shop import one_name

        @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
        @given(pk=strategies.integers(1, 3))
        def test_examples(session, pk):
            assert one_name(session, pk)

        def test_subtests(session, subtests):
            for pk in (1, 2, 3):
                with subtests.test(pk=pk):
                    assert one_name(session, pk)
        """.replace("\n        ", "\n"),
    )
    result = project.run("--dbguard", "--dbguard-test-code=report", "test_many.py")
    assert result.ret == 0
