"""What is not to be reported, in every place where it may be said, and what is told of ignores without use."""

from __future__ import annotations

import json

import pytest

from pytest_dbguard.rules.documentation import code_of, sections
from pytest_dbguard.rules.unused_ignore import UnusedIgnore

WITH_AND_WITHOUT_XDIST = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "xdist"])
ACCESS = "return [order.customer.name for order in orders]"
LOOP = """
from shop import Order
from sqlalchemy import select, text


def totals(session):
    for number in (1, 2, 3):
        session.execute(text("SELECT id FROM orders WHERE id = :id {}"), {{"id": number}})


def more(session):
    for number in (1, 2, 3):
        session.execute(select(Order.id).where(Order.id == number).prefix_with({!r}))


def hinted(session):
    for number in (1, 2, 3):
        session.execute(select(Order.customer_id).where(Order.id == number).with_statement_hint({!r}))
"""
LOOP_TESTS = """
from test_shop import session
import loops


def test_totals(session):
    loops.totals(session)


def test_more(session):
    loops.more(session)


def test_hinted(session):
    loops.hinted(session)
"""


def loops(in_text, in_prefix, in_hint):
    return LOOP.format(in_text, in_prefix, in_hint)


def configure(project, table):
    project.write(
        "pyproject.toml",
        f'[tool.pytest.ini_options]\naddopts = "-p no:cacheprovider -p no:asyncio"\n\n[tool.dbguard]\n{table}\n',
    )


def mark(project, line, comment, file="shop.py"):
    """Put a comment behind a line of the project."""
    text = (project.path / file).read_text()
    assert text.count(line) == 1
    project.write(file, text.replace(line, f"{line}  {comment}"))


def shown(project, *arguments):
    """Return rule, severity and place of each finding, and how many were ignored."""
    project.run("--dbguard", "--dbguard-report=json:report.json", *arguments)
    report = json.loads((project.path / "report.json").read_text())
    findings = [
        (f["rule"], f["severity"], f["site"] and f"{f['site']['file']}:{f['site']['line']}", f["message"])
        for f in report["findings"]
    ]
    return findings, report["totals"]["ignored"]


@WITH_AND_WITHOUT_XDIST
@pytest.mark.parametrize(
    ("table", "is_silent"),
    [
        ('ignore = ["DBG101:Order.*"]', True),
        ('ignore = ["n-plus-one:Order.customer"]', True),
        ('ignore = ["DBG101:Customer.orders", "DBG911"]', False),
        ('per-path-ignores = {"sh*.py" = ["DBG1"]}', True),
        ('per-path-ignores = {"test_shop.py" = ["DBG101:Order.customer"]}', True),
        ('per-path-ignores = {"legacy/*" = ["DBG1"]}\nignore = ["DBG911"]', False),
    ],
)
def test_settings(project, table, is_silent, workers):
    configure(project, table)
    findings, ignored = shown(project, *workers)
    assert [rule for rule, *_ in findings] == ([] if is_silent else ["DBG101"])
    # two tests show it: it is one fact
    assert ignored == int(is_silent)


def test_a_path_of_tests_drops_the_finding_of_these_tests_only(project):
    project.write(
        "slow/test_slow.py",
        "from shop import names\nfrom test_shop import session\n\ndef test_slow(session):\n    names(session)\n",
    )
    configure(project, 'per-path-ignores = {"slow/*" = ["DBG1"]}')
    (finding,) = project.findings("-n2")
    assert finding["tests"] == ["test_shop.py::test_names", "test_shop.py::test_names_again"]


@WITH_AND_WITHOUT_XDIST
def test_a_marker_hides_nothing_of_another_test(project, workers):
    tests = (project.path / "test_shop.py").read_text()
    project.write(
        "test_shop.py",
        tests.replace("def test_names(", "@pytest.mark.dbguard(ignore=['DBG1:Order.*'], reason='x')\ndef test_names("),
    )
    (finding,) = project.findings(*workers)
    assert finding["tests"] == ["test_shop.py::test_names_again"]


def test_markers_of_classes_and_modules(project):
    """One marker on many tests is used when one of them needs it, and told at its own place when none does."""
    project.write(
        "test_marked.py",
        """
        import pytest
        from shop import names, one_name
        from test_shop import session

        pytestmark = pytest.mark.dbguard(ignore=["DBG101", "DBG103"], reason="few")


        @pytest.mark.dbguard(ignore=["DBG104"], reason="none")
        class TestOrders:
            def test_names(self, session):
                names(session)

            @pytest.mark.parametrize("pk", [1, 2])
            @pytest.mark.dbguard(ignore=["DBG105"], reason="none")
            def test_one(self, session, pk):
                one_name(session, pk)


        Made = type("TestMade", (), {"test_made": lambda self: None})
        TestMade = pytest.mark.dbguard(ignore=["DBG102"], reason="none")(Made)
        """.replace("\n        ", "\n").lstrip(),
    )
    mark(project, ACCESS, "# dbguard: ignore[DBG101]")
    findings, _ = shown(project)
    assert sorted((place, message) for _, _, place, message in findings) == [
        ("test_marked.py:1", "the marker's `DBG102` silences nothing"),
        ("test_marked.py:1", "the marker's `DBG103` silences nothing"),
        ("test_marked.py:13", "the marker's `DBG105` silences nothing"),
        ("test_marked.py:8", "the marker's `DBG104` silences nothing"),
    ]


def test_a_marker_hides_nothing_of_a_fixture_that_tests_share(project):
    project.write(
        "test_shared.py",
        """
        import pytest
        from shop import make_engine, names
        from sqlalchemy.orm import Session

        @pytest.fixture(scope="module")
        def report():
            with Session(make_engine()) as session:
                return names(session)

        @pytest.mark.dbguard(ignore=["DBG101"], reason="not mine")
        def test_first(report):
            assert report

        @pytest.mark.dbguard(off=True)
        def test_second(report):
            assert report
        """.replace("\n        ", "\n"),
    )
    (finding,) = project.findings("test_shared.py")
    assert finding["tests"] == ["test_shared.py::report"]


@pytest.mark.parametrize(
    ("text", "is_silent"),
    [
        ("/* dbguard: ignore[DBG103] few */", True),
        ("/* dbguard: ignore[statement-in-loop:orders] */", True),
        ("/* dbguard: ignore[DBG101] */", False),
        ("/* about orders */", False),
    ],
)
def test_sql(project, text, is_silent):
    # in text() and prefixes a colon before a name is a parameter
    escaped = text.replace("loop:", "loop\\\\:")
    project.write("loops.py", loops(escaped, escaped.replace("\\\\", "\\"), text))
    project.write("test_shop.py", (project.path / "test_shop.py").read_text().partition("def test_names")[0])
    project.write("test_loops.py", LOOP_TESTS)
    findings, ignored = shown(project)
    assert [rule for rule, *_ in findings] == ([] if is_silent else ["DBG103"] * 3)
    assert ignored == (3 if is_silent else 0)


def test_wrong_words_in_sql(project):
    project.write("loops.py", loops("-- dbguard: ignore[DBG999]", "/* dbguard: ignore */", ""))
    project.write("test_loops.py", LOOP_TESTS)
    findings, _ = shown(project, "test_loops.py")
    wrong = [(severity, place, message) for rule, severity, place, message in findings if rule == "DBG911"]
    assert wrong == [
        ("warning", "loops.py:8", "unknown rule 'DBG999' (in the statement)"),
        ("warning", "loops.py:13", "'' names no rule (in the statement)"),
    ]


@WITH_AND_WITHOUT_XDIST
def test_what_silences_nothing(project, workers):
    mark(project, ACCESS, "# dbguard: ignore[DBG101, DBG103] few")
    mark(project, "orders = session.scalars(select(Order)).all()", "# dbguard: ignore[DBG104] none")
    tests = (project.path / "test_shop.py").read_text()
    project.write(
        "test_shop.py",
        tests.replace("def test_one(", "@pytest.mark.dbguard(ignore=['DBG101'], reason='x')\ndef test_one(")
        + "\n\ndef test_block(session, dbguard):\n    with dbguard.ignore('DBG102', reason='x'):\n"
        + "        one_name(session, 1)\n\n\n# dbguard: file-ignore[DBG105]\n",
    )
    configure(project, 'ignore = ["DBG103:product"]\n[tool.dbguard.per-path-ignores]\n"legacy/*" = ["DBG1"]')
    findings, ignored = shown(project, *workers)
    assert ignored == 1
    assert {severity for _, severity, _, _ in findings} == {"note"}
    assert {(place, message) for rule, _, place, message in findings if rule == "DBG911"} == {
        ("shop.py:35", "`ignore[DBG103]` silences nothing"),
        ("shop.py:34", "`ignore[DBG104]` silences nothing"),
        ("test_shop.py:21", "the marker's `DBG101` silences nothing"),
        ("test_shop.py:27", "`dbguard.ignore('DBG102')` silences nothing"),
        ("test_shop.py:31", "`file-ignore[DBG105]` silences nothing"),
        ("pyproject.toml:5", "`DBG103:product` of pyproject.toml silences nothing"),
        ("pyproject.toml:7", "`DBG1` for the path 'legacy/*' silences nothing"),
    }
    assert len(findings) == 7


@pytest.mark.parametrize(
    "arguments",
    [
        ("-k", "test_one"),
        ("test_shop.py",),
        ("test_shop.py::test_one",),
        ("--deselect", "test_shop.py::test_one"),
        ("-x", "test_fails.py", "test_shop.py"),
        ("--dbguard-select=DBG101,DBG911",),
        ("--dbguard-ignore=DBG911",),
        ("--dbguard-ignore=DBG103",),
    ],
    ids=" ".join,
)
def test_nothing_is_called_unused_without_cause(project, arguments):
    """Where some tests or the rule itself were left out, nobody knows."""
    project.write("test_fails.py", "def test_fails():\n    assert False\n")
    mark(project, "orders = session.scalars(select(Order)).all()", "# dbguard: ignore[DBG103] none")
    findings, _ = shown(project, *arguments)
    assert "DBG911" not in [rule for rule, *_ in findings]


def test_tests_that_did_not_run_to_their_end_may_need_it(project):
    mark(project, "orders = session.scalars(select(Order)).all()", "# dbguard: ignore[DBG103] none")
    project.write(
        "test_skipped.py",
        "import pytest\n\n\n@pytest.mark.dbguard(ignore=['DBG101'], reason='x')\ndef test_skipped():\n"
        "    pytest.skip('not here')\n",
    )
    findings = [finding for finding in project.findings() if finding["rule"] == "DBG911"]
    assert [(f["message"], f["certainty"], f["evidence"]) for f in findings] == [
        ("`ignore[DBG103]` silences nothing", "likely", ["1 test was skipped or failed and may need it"])
    ]


@WITH_AND_WITHOUT_XDIST
def test_mistakes_are_warnings_in_every_run(project, workers):
    mark(project, ACCESS, "# dbguard: ignore")
    mark(project, "orders = session.scalars(select(Order)).all()", "# dbguard: ignore[DBG10I]")
    findings, ignored = shown(project, "-k", "test_names", *workers)
    assert ignored == 0
    assert sorted((severity, place, message) for rule, severity, place, message in findings if rule == "DBG911") == [
        ("warning", "shop.py:34", "unknown rule 'DBG10I'"),
        ("warning", "shop.py:35", "`ignore` names no rule and silences nothing"),
    ]
    assert "DBG101" in [rule for rule, *_ in findings]


@WITH_AND_WITHOUT_XDIST
def test_subjects_that_no_model_has(project, workers):
    mark(project, ACCESS, "# dbguard: ignore[DBG101:Order.custmer, DBG101:Ordr.customer, DBG101:Order.*]")
    findings = project.findings(*workers)
    assert [(f["severity"], f["message"].partition(":")[0], f["fix"]["title"]) for f in findings] == [
        ("warning", "no model has `Order.custmer`", "did you mean `Order.customer`?"),
        ("warning", "no model has `Ordr.customer`", "did you mean `Order.customer`?"),
    ]


def test_a_wrong_ignore_can_be_accepted_and_silenced(project):
    mark(project, ACCESS, "# dbguard: ignore[DBG101, DBG999]")
    assert project.run("--dbguard").ret == 1
    assert project.run("--dbguard", "--dbguard-update-baseline").ret == 0
    assert project.run("--dbguard").ret == 0
    (project.path / "dbguard-baseline.json").unlink()
    mark(project, "# dbguard: ignore[DBG101, DBG999]", "# dbguard: ignore[DBG911]")
    assert project.run("--dbguard").ret == 0


def test_what_is_ignored_is_told_once(project):
    mark(project, ACCESS, "# dbguard: ignore[DBG101]")
    project.write("more.py", loops("", "/* */", ""))
    project.write("test_more.py", LOOP_TESTS.replace("loops", "more"))
    result = project.run("--dbguard", "--dbguard-fail-on=never")
    result.stdout.fnmatch_lines(["1 finding ignored by comments, markers or fixtures."])


@pytest.mark.parametrize(("heading", "rules"), [("Example", ["DBG911"]), ("Use instead", [])])
def test_the_documentation(project, heading, rules):
    source = (project.path / "shop.py").read_text().partition("def names(")[0]
    code = code_of(sections(UnusedIgnore)[heading])
    project.write(
        "shop.py", "from sqlalchemy.orm import joinedload\n" + source + code + "\n\ndef one_name():\n    pass\n"
    )
    project.write("test_shop.py", (project.path / "test_shop.py").read_text().partition("def test_one(")[0])
    findings = project.findings("--dbguard-select=DBG101,DBG911")
    assert [(f["rule"], f["severity"]) for f in findings] == [(rule, "warning") for rule in rules]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('ignore = ["n-plus-on:Order.items"]', "*pyproject.toml: ignore: unknown rule 'n-plus-on'*'n-plus-one'*"),
        ('ignore = ["DBG101:"]', "*pyproject.toml: ignore: 'DBG101:' names no subject*"),
        ('per-path-ignores = {"shop/*" = ["DBG999"]}', "*per-path-ignores: 'shop/*': unknown rule 'DBG999'*"),
        ('per-path-ignores = {"/shop/*" = ["DBG1"]}', "*per-path-ignores: '/shop/*' is not relative to the root*"),
    ],
)
def test_wrong_settings(project, table, message):
    configure(project, table)
    result = project.run("--dbguard")
    assert result.ret == 4
    text = " ".join((result.stdout.str() + result.stderr.str()).split())
    pytest.LineMatcher([text]).fnmatch_lines([message])


@WITH_AND_WITHOUT_XDIST
def test_a_fault_at_the_end_costs_no_test_result(project, workers):
    project.write(
        "conftest.py",
        """
        from pytest_dbguard.testing import run

        def broken(*_):
            raise ZeroDivisionError("at the end")

        run.sightings = broken
        """.replace("\n        ", "\n"),
    )
    result = project.run("--dbguard", "-k", "test_one", *workers)
    assert result.ret == 3
    assert result.parseoutcomes()["passed"] == 1
    result.stdout.fnmatch_lines(["dbguard itself failed once: looking for ignores: ZeroDivisionError: at the end*"])
