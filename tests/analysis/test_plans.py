"""Judging a run by its plans: rules see assessments, ignores hold, faults are kept, labs are closed."""

from __future__ import annotations

import pytest

from pytest_dbguard.analysis.ignore_words import read_words
from pytest_dbguard.analysis.judge import ActiveRule
from pytest_dbguard.analysis.observations import Observation
from pytest_dbguard.analysis.observed import Observed
from pytest_dbguard.analysis.plan_sources import PlanSources
from pytest_dbguard.analysis.plans import MAX_POSTGRES_LABS, PlanJudge
from pytest_dbguard.core.findings import Finding, Severity, Site
from pytest_dbguard.core.ignores import Ignore, IgnoreKind
from pytest_dbguard.planning.assessment import Basis
from pytest_dbguard.planning.lab.registry import LabChoice, open_lab
from pytest_dbguard.rules.base import RuleOptions, Stage
from pytest_dbguard.schema.catalog import Catalog, Column, Dialect, Table
from pytest_dbguard.sql.shape import read_statement

SITE = Site("shop/orders.py", 7, 5, "orders")
TEXT = "SELECT id FROM orders WHERE city = ?"
SHAPE = read_statement(TEXT).shape
DDL = "CREATE TABLE orders (id INTEGER PRIMARY KEY, city TEXT)"
ORDERS = Table(
    "",
    "orders",
    columns=(Column("id", "INTEGER", nullable=False), Column("city", "TEXT")),
    primary_key=("id",),
    ddl=DDL,
)
SQLITE = Catalog(Dialect.SQLITE, tables=(ORDERS,))


class EachStatement:
    """Yields a finding for each place of each statement."""

    code, name, severity, stage, options_model = "DBG201", "missing-index", Severity.ERROR, Stage.STABLE, RuleOptions

    def __init__(self, *, fails=False, severity=Severity.ERROR):
        self.assessments, self.fails, self.says = [], fails, severity

    def check(self, recording, context):
        return ()

    def judge(self, assessment):
        self.assessments.append(assessment)
        if self.fails:
            raise RuntimeError("broken")
        for each in assessment.statements:
            for use in each.statement.uses:
                yield Finding(
                    self.code,
                    self.name,
                    self.says,
                    "orders.city",
                    "message",
                    use.site,
                    tests=use.tests,
                    shape=each.statement.shape,
                    in_test_code=use.in_test_code,
                )


class Sources(PlanSources):
    """Those of a project, but for the lab where a test has one of its own."""

    lab_opener = None

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)

    def open_lab(self, catalog, statistics):
        return self.lab_opener(catalog, statistics) if self.lab_opener else super().open_lab(catalog, statistics)


def judged(rule, *tests, catalogs=None, severity=Severity.ERROR, lab=None, **options):
    observed = Observed()
    for test, *seen in tests:
        observed.take(test, seen)
    observed.learn(catalogs or {"s": SQLITE}, [[SHAPE.id, TEXT, "qmark", {}, [], 0, [""]]])
    sources = Sources(options.pop("root"), scale=options.pop("scale", {}))
    sources.lab_opener = lab
    return PlanJudge([ActiveRule(rule, severity)], sources).judge(observed, **options)


def seen(schema="s", site=SITE, **more):
    return Observation(schema, SHAPE.id, site, 1, **more)


def ignoring(word):
    return (Ignore(IgnoreKind.SQL, read_words([word])[0]),)


def test_rules_see_each_schema_with_a_lab(tmp_path):
    rule = EachStatement()
    outcome = judged(rule, ("t1", seen()), root=tmp_path)
    assert [finding.subject for finding in outcome.findings] == ["orders.city"]
    (assessment,) = outcome.assessments
    assert assessment.basis is Basis.MODELLED
    assert assessment.lab.dialect == "sqlite"
    assert len(outcome.planning.labs) == 1


def test_tests_of_a_place_are_one_finding(tmp_path):
    outcome = judged(EachStatement(), ("t2", seen()), ("t1", seen()), root=tmp_path)
    assert [finding.tests for finding in outcome.findings] == [("t1", "t2")]


def test_the_same_fact_on_two_schemas_is_one(tmp_path):
    catalogs = {"s": SQLITE, "z": Catalog(Dialect.SQLITE, tables=(ORDERS, Table("", "t", ddl="CREATE TABLE t (a)")))}
    outcome = judged(EachStatement(), ("t1", seen()), ("t2", seen("z")), catalogs=catalogs, root=tmp_path)
    assert [finding.tests for finding in outcome.findings] == [("t1", "t2")]
    assert len(outcome.assessments) == 2


def test_a_test_whose_statement_is_ignored_does_not_show_it(tmp_path):
    outcome = judged(EachStatement(), ("t1", seen(ignores=ignoring("DBG201"))), ("t2", seen()), root=tmp_path)
    assert [finding.tests for finding in outcome.findings] == [("t2",)]
    assert outcome.used


def test_what_all_tests_ignore_is_silenced(tmp_path):
    outcome = judged(EachStatement(), ("t1", seen(ignores=ignoring("DBG201"))), root=tmp_path)
    assert outcome.findings == ()
    assert len(outcome.silenced) == 1


def test_an_ignore_of_another_rule_silences_nothing(tmp_path):
    outcome = judged(EachStatement(), ("t1", seen(ignores=ignoring("DBG301"))), root=tmp_path)
    assert len(outcome.findings) == 1
    assert not outcome.used


@pytest.mark.parametrize(
    ("configured", "said", "weighs"),
    [
        (Severity.ERROR, Severity.ERROR, Severity.ERROR),
        (Severity.ERROR, Severity.WARNING, Severity.WARNING),
        (Severity.NOTE, Severity.ERROR, Severity.NOTE),
        (Severity.NOTE, Severity.WARNING, Severity.NOTE),
    ],
)
def test_the_configuration_may_weigh_less_and_so_may_the_rule(configured, said, weighs, tmp_path):
    rule = EachStatement(severity=said)
    (finding,) = judged(rule, ("t1", seen()), severity=configured, root=tmp_path).findings
    assert finding.severity is weighs


def test_seeding_is_a_note(tmp_path):
    factory = Site("tests/factories.py", 3)
    (finding,) = judged(EachStatement(), ("t1", seen(site=factory, in_test_code=True)), root=tmp_path).findings
    assert finding.severity is Severity.NOTE


def test_a_broken_rule_is_a_fault(tmp_path):
    outcome = judged(EachStatement(fails=True), ("t1", seen()), root=tmp_path)
    assert outcome.findings == ()
    (fault,) = outcome.faults
    # its words may hold a value that it choked on
    assert (fault.where, fault.error.partition(":")[0]) == ("rule DBG201", "RuntimeError at test_plans.py")


def test_the_lab_is_closed_also_after_a_fault(tmp_path):
    closed = []

    def watched(catalog, statistics):
        from pytest_dbguard.planning.lab.registry import LabOptions

        choice = open_lab(catalog, statistics, LabOptions())
        close = choice.lab.close
        choice.lab.close = lambda: (closed.append(True), close())
        return choice

    judged(EachStatement(fails=True), ("t1", seen()), lab=watched, root=tmp_path)
    assert closed == [True]


def test_without_a_lab_the_reason_is_told(tmp_path):
    outcome = judged(EachStatement(), ("t1", seen()), lab=lambda *_: LabChoice(None, "no server"), root=tmp_path)
    assert outcome.assessments[0].basis is Basis.STATIC
    assert outcome.planning.labs == ("no statement was planned: no server",)


def test_only_so_many_schemas_get_a_server(tmp_path):
    opened = []
    catalogs = {f"s{n}": Catalog(Dialect.POSTGRESQL, tables=(ORDERS,)) for n in range(MAX_POSTGRES_LABS + 2)}
    tests = [(f"t{name}", seen(name)) for name in catalogs]

    def refusing(catalog, statistics):
        opened.append(catalog)
        return LabChoice(None, "no server")

    outcome = judged(EachStatement(), *tests, catalogs=catalogs, lab=refusing, root=tmp_path)
    assert len(opened) == MAX_POSTGRES_LABS
    assert len(outcome.assessments) == MAX_POSTGRES_LABS + 2


def test_rules_of_recordings_are_passed_over(tmp_path):
    class OfRecordings:
        code, severity = "DBG101", Severity.ERROR

    judge = PlanJudge([ActiveRule(OfRecordings(), Severity.ERROR)], None)
    assert not judge.is_needed


def test_names_that_no_schema_has_are_told(tmp_path):
    outcome = judged(EachStatement(), ("t1", seen()), scale={"oders": 5}, root=tmp_path)
    assert outcome.planning.told == ("[tool.dbguard.scale] names the unknown table 'oders', did you mean 'orders'?",)


def test_what_another_schema_has_is_not_missing(tmp_path):
    catalogs = {"s": SQLITE, "z": Catalog(Dialect.SQLITE, tables=(ORDERS, Table("", "t", ddl="CREATE TABLE t (a)")))}
    tests = (("t1", seen()), ("t2", seen("z")))
    assert judged(EachStatement(), *tests, catalogs=catalogs, scale={"t": 5}, root=tmp_path).planning.told == ()


class OfWholeRuns(EachStatement):
    needs_whole_run = True


def test_rules_about_what_no_test_does_are_silent_where_only_some_ran(tmp_path):
    assert judged(OfWholeRuns(), ("t1", seen()), is_whole=False, root=tmp_path).findings == ()
    assert len(judged(OfWholeRuns(), ("t1", seen()), root=tmp_path).findings) == 1
