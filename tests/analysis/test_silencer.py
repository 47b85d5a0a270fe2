"""The silencer: what a test shows, what is left out of it, and by what."""

from __future__ import annotations

import pytest

from pytest_dbguard.analysis.ignore_words import read_word
from pytest_dbguard.analysis.judge import ActiveRule, Judge
from pytest_dbguard.analysis.setting_ignores import SettingIgnores, subject_ignores
from pytest_dbguard.analysis.silencer import Silencer
from pytest_dbguard.config.path_globs import PathGlob
from pytest_dbguard.core.findings import Finding, Severity, Site
from pytest_dbguard.core.ignores import Ignore, IgnoredRange, IgnoreKind
from pytest_dbguard.recording.model import Recording
from pytest_dbguard.rules.base import Draft, RuleOptions, Stage
from pytest_dbguard.sql.shape import read_statement

TEST = "tests/test_a.py::test"


class OnePerRecording:
    """Reports one finding of each recording, at a line of `shop.py`."""

    code, name, severity, stage, options_model = "DBG101", "n-plus-one", Severity.ERROR, Stage.STABLE, RuleOptions

    def check(self, recording, context):
        site, origin = Site("shop/views.py", 2), Site("shop/queries.py", 1)
        numbers = frozenset(range(len(recording.raw)))
        yield Draft(Finding("DBG101", self.name, self.severity, "Order.items", "m", site, origin), numbers)


def silencer(root, *settings, paths=()):
    (root / "shop").mkdir(exist_ok=True)
    settings = SettingIgnores(subject_ignores(settings).words, tuple(paths))
    return Silencer(Judge((ActiveRule(OnePerRecording(), Severity.ERROR),)), root, settings)


class Stack:
    site = Site("shop/views.py", 2)


def recording(name=TEST, scope="call", statements=("SELECT 1",), **more):
    raw = tuple((read_statement(statement), Stack) for statement in statements)
    return Recording(name, scope, raw, len(raw), 1.0, **more)


def by_path(glob, word="DBG101"):
    return PathGlob(glob), Ignore(IgnoreKind.PATH, read_word(word), None, glob)


def mark(word):
    return Ignore(IgnoreKind.MARKER, read_word(word), Site("tests/test_a.py", 1), TEST)


def test_nothing_is_left_out(tmp_path):
    judged = silencer(tmp_path).judged([recording(), recording(scope="GET /")], test=TEST)
    assert [finding.scope for finding in judged.findings] == ["call", "GET /"]
    assert judged.silenced == set()
    assert judged.book.used == set()


@pytest.mark.parametrize(
    ("glob", "is_silent"),
    [
        ("shop/views.py", True),
        ("shop/queries.py", True),
        ("shop/*", True),
        ("tests/*", True),
        ("tests/test_a.py", True),
        ("tests/test_b.py", False),
        ("views.py", False),
    ],
)
def test_paths_of_lines_and_of_tests(tmp_path, glob, is_silent):
    path = by_path(glob)
    judged = silencer(tmp_path, paths=[path]).judged([recording()], test=TEST)
    assert bool(judged.findings) is not is_silent
    assert judged.book.used == ({path[1]} if is_silent else set())


def test_a_path_holds_for_its_words_only(tmp_path):
    assert silencer(tmp_path, paths=[by_path("shop/*", "DBG103")]).judged([recording()]).findings
    assert silencer(tmp_path, paths=[by_path("shop/*", "DBG101:Order.tags")]).judged([recording()]).findings


def test_all_that_silences_a_finding_is_used_and_it_counts_once(tmp_path):
    subject = silencer(tmp_path, "DBG101:Order.*", paths=[by_path("shop/*")])
    (tmp_path / "shop" / "views.py").write_text("a\nb  # dbguard: ignore[DBG101]\n")
    (tmp_path / "shop" / "queries.py").write_text("# dbguard: file-ignore[n-plus-one]\n")
    judged = subject.judged([recording(), recording()], test=TEST, marks=(mark("DBG1"),))
    assert judged.findings == []
    assert len(judged.silenced) == 1
    assert {ignore.kind for ignore in judged.book.used} == {
        IgnoreKind.CONFIG,
        IgnoreKind.PATH,
        IgnoreKind.COMMENT,
        IgnoreKind.FILE_COMMENT,
        IgnoreKind.MARKER,
    }


@pytest.mark.parametrize(("marks", "is_off"), [((mark("DBG101"),), False), ((), True)])
def test_a_test_says_nothing_of_the_fixtures_it_shares(tmp_path, marks, is_off):
    recordings = [recording(), recording(scope="setup"), recording("tests/conftest.py::shared", "setup")]
    judged = silencer(tmp_path).judged(recordings, test=TEST, marks=marks, is_off=is_off)
    assert [finding.tests for finding in judged.findings] == [("tests/conftest.py::shared",)]


def test_what_a_test_wrote_is_in_the_book_with_the_test(tmp_path):
    block = Ignore(IgnoreKind.FIXTURE, read_word("DBG101"), Site("tests/test_a.py", 5))
    shown = recording(ignores=(IgnoredRange((block,), 0, 1),))
    judged = silencer(tmp_path).judged([shown], test=TEST, marks=(mark("DBG103"),))
    assert judged.book.written == {mark("DBG103"): {TEST}, block: {TEST}}
    assert judged.book.used == {block}
    assert len(judged.silenced) == 1
    assert silencer(tmp_path).judged([recording()], test=TEST).book.used == set()


def test_one_test_leaves_nothing_to_the_next(tmp_path):
    subject = silencer(tmp_path)
    quiet = recording(statements=["SELECT 1 /* dbguard: ignore[DBG101] */"])
    assert len(subject.judged([quiet], test="first").silenced) == 1
    after = subject.judged([recording()], test="second")
    assert (after.silenced, after.book.used) == (set(), set())


@pytest.mark.parametrize(
    ("statements", "is_silent"),
    [
        (["SELECT 1 /* dbguard: ignore[DBG101] */"] * 2, True),
        (["SELECT 1 /* dbguard: ignore[DBG101] */", "SELECT 1 /* dbguard: ignore[n-plus-one:Order.*] */"], True),
        (["SELECT 1 /* dbguard: ignore[DBG101] */", "SELECT 1"], False),
        (["SELECT 1 /* dbguard: ignore[DBG101:Order.tags] */"], False),
        (["SELECT 1 /* dbguard: ignore[DBG] */"], False),
        ([], False),
    ],
)
def test_sql_comments_on_all_statements(tmp_path, statements, is_silent):
    shown = recording(statements=statements, max_queries=0)
    assert bool(silencer(tmp_path).judged([shown]).findings) is not is_silent


def test_wrong_words_in_sql_are_in_the_book(tmp_path):
    judged = silencer(tmp_path).judged([recording(statements=["SELECT 1 /* dbguard: ignore[DBG10I, ALL] */"] * 3)])
    assert {(wrong.text, wrong.place, wrong.message) for wrong in judged.book.wrong} == {
        ("DBG10I", Stack.site, "unknown rule 'DBG10I' (in the statement)"),
        ("ALL", Stack.site, "'ALL' would hide every finding (in the statement)"),
    }
