"""Without pytest: record a stretch, check it, report it; inside of a recorded test it is a scope of its own."""

from __future__ import annotations

import json
import linecache
import subprocess
import sys
import textwrap

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine
from sqlalchemy.pool import StaticPool

import pytest_dbguard
from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.recording.current import CURRENT
from pytest_dbguard.recording.listeners import Listeners
from pytest_dbguard.recording.ownership import Ownership
from pytest_dbguard.recording.recorder import Recorder
from pytest_dbguard.recording.scopes import Scope

APPLICATION = """
from sqlalchemy import text

def names(connection, numbers):
    found = []
    for number in numbers:
        found.append(connection.execute(text("SELECT :number AS secret FROM item"), {"number": number}).scalar())
    return found

def quiet(connection):
    return connection.execute(text("SELECT count(*) FROM item")).scalar()
"""


@pytest.fixture
def connection():
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE item (id INTEGER PRIMARY KEY)"))
        connection.execute(text("INSERT INTO item VALUES (1)"))
        yield connection
    engine.dispose()


@pytest.fixture
def shop(tmp_path):
    """An application of two functions in a file of its own."""
    path = tmp_path / "shop.py"
    path.write_text(APPLICATION)
    linecache.checkcache(str(path))
    names = {"__name__": "shop"}
    exec(compile(APPLICATION, str(path), "exec"), names)
    return names


def test_public_names():
    assert set(pytest_dbguard.__all__) == {
        "DbguardASGI",
        "DbguardWSGI",
        "OpenRecording",
        "check",
        "record",
        "report",
    }
    assert all(getattr(pytest_dbguard, name).__name__ == name for name in pytest_dbguard.__all__)
    with pytest.raises(AttributeError, match="'nothing'"):
        pytest_dbguard.nothing


def test_record_check_report(shop, connection, tmp_path):
    with pytest_dbguard.record(root=tmp_path) as recording:
        assert shop["names"](connection, [1, 2, 3]) == [1, 2, 3]
    assert recording.count == 3
    assert [query.text.verb for query in recording.queries] == ["SELECT"] * 3
    verdict = pytest_dbguard.check(recording)
    [finding] = verdict.findings
    assert (finding.rule, finding.subject, finding.count, finding.tests) == ("DBG103", "item", 3, ("recording",))
    assert (finding.site.file, finding.site.line, finding.loop.line) == ("shop.py", 7, 6)
    assert not verdict.passed
    assert (verdict.totals.statements, verdict.totals.shapes) == (3, 1)
    shown = pytest_dbguard.report(verdict, root=tmp_path)
    assert "DBG103" in shown
    assert "shop.py:7" in shown
    assert "for number in numbers:" in shown


def test_report_kinds(shop, connection, tmp_path):
    with pytest_dbguard.record(root=tmp_path) as recording:
        shop["names"](connection, [1, 2])
    verdict = pytest_dbguard.check(recording)
    report = json.loads(pytest_dbguard.report(verdict, kind="json", root=tmp_path))
    assert [finding["rule"] for finding in report["findings"]] == ["DBG103"]
    assert pytest_dbguard.report(verdict, kind="concise", root=tmp_path).startswith("shop.py:7:")
    assert max(map(len, pytest_dbguard.report(verdict, root=tmp_path, width=60).splitlines())) <= 60
    with pytest.raises(ConfigError):
        pytest_dbguard.report(verdict, kind="jsn")


def test_nothing_found(shop, connection, tmp_path):
    with pytest_dbguard.record(root=tmp_path) as recording:
        shop["quiet"](connection)
    verdict = pytest_dbguard.check(recording)
    assert verdict.passed
    assert verdict.findings == ()


def test_check_while_it_runs(shop, connection, tmp_path):
    with pytest_dbguard.record(root=tmp_path) as recording:
        shop["names"](connection, [1])
        assert pytest_dbguard.check(recording).passed
        shop["names"](connection, [1, 2])
        assert not pytest_dbguard.check(recording).passed
        assert recording.count == 3
    connection.execute(text("SELECT 1 FROM item"))
    assert recording.count == 3


@pytest.mark.parametrize(
    ("settings", "passed"),
    [
        ({}, False),
        ({"select": ["DBG101"]}, True),
        ({"select": ["statement-in-loop"]}, False),
        ({"ignore": ["DBG1"]}, True),
        ({"ignore": ["DBG103:item"]}, True),
        ({"ignore": ["statement-in-loop:order*"]}, False),
        ({"fail_on": "error"}, False),
    ],
)
def test_what_is_checked(shop, connection, tmp_path, settings, passed):
    with pytest_dbguard.record(root=tmp_path) as recording:
        shop["names"](connection, [1, 2])
    assert pytest_dbguard.check(recording, **settings).passed is passed


def test_wrong_settings(connection, tmp_path):
    with pytest_dbguard.record(root=tmp_path) as recording:
        pass
    with pytest.raises(ConfigError, match="DBG777"):
        pytest_dbguard.check(recording, select=["DBG777"])
    with pytest.raises(ValueError, match="fatal"):
        pytest_dbguard.check(recording, fail_on="fatal")


def test_a_budget(shop, connection, tmp_path):
    with pytest_dbguard.record("the page", root=tmp_path, max_queries=1) as recording:
        shop["quiet"](connection)
        shop["quiet"](connection)
    findings = {finding.rule: finding for finding in pytest_dbguard.check(recording).findings}
    assert findings["DBG901"].message == "2 queries, at most 1 are allowed"
    assert findings["DBG901"].subject == "the page"


def test_comments_are_heeded(shop, connection, tmp_path):
    with pytest_dbguard.record(root=tmp_path) as recording:
        shop["names"](connection, [1, 2])
    path = tmp_path / "shop.py"
    path.write_text(APPLICATION.replace("in numbers:", "in numbers:  # dbguard: ignore[DBG103] few"))
    linecache.checkcache(str(path))
    assert pytest_dbguard.check(recording).passed


def test_everything_is_removed_even_after_an_error(connection, tmp_path):
    heard = len(event_names())
    with pytest.raises(KeyError), pytest_dbguard.record(root=tmp_path) as recording:
        connection.execute(text("SELECT 1 FROM item"))
        assert len(event_names()) > heard
        raise KeyError
    assert recording.count == 1
    assert len(event_names()) == heard
    assert CURRENT.get() is None


def event_names():
    return [name for name in Engine.dispatch._event_names for _ in getattr(Engine.dispatch, name)._clslevel[Engine]]


def test_one_recording_inside_of_another(shop, connection, tmp_path):
    with pytest_dbguard.record("outer", root=tmp_path) as outer:
        shop["quiet"](connection)
        with pytest_dbguard.record("inner", root=tmp_path) as inner:
            shop["names"](connection, [1, 2])
        shop["quiet"](connection)
    assert (outer.count, inner.count) == (4, 2)
    assert [each.name for each in outer.recordings] == ["outer", "inner"]
    assert [each.count for each in outer.recordings] == [2, 2]
    assert [finding.rule for finding in pytest_dbguard.check(inner).findings] == ["DBG103"]


def test_three_recordings_inside_of_each_other(shop, connection, tmp_path):
    with pytest_dbguard.record("outer", root=tmp_path) as outer:
        with pytest_dbguard.record("middle", root=tmp_path) as middle:
            with pytest_dbguard.record("inner", root=tmp_path) as inner:
                shop["quiet"](connection)
            shop["quiet"](connection)
        shop["quiet"](connection)
    assert (outer.count, middle.count, inner.count) == (3, 2, 1)
    assert [each.name for each in middle.recordings] == ["middle", "inner"]


def test_inside_of_a_recorded_test(shop, connection, tmp_path):
    """Joins the recorder that listens: statements are heard once, and belong to the block."""
    recorder = Recorder(Ownership(tmp_path))
    listeners = Listeners(recorder)
    scope = Scope("tests/test_a.py::test", "call")
    listeners.attach()
    recorder.open(scope)
    try:
        shop["quiet"](connection)
        with pytest_dbguard.record("block", root=tmp_path) as recording:
            shop["names"](connection, [1, 2, 3])
        shop["quiet"](connection)
    finally:
        recorder.close()
        listeners.detach()
    assert (recording.count, scope.count) == (3, 2)
    assert [each.scope for each in scope.recordings()] == ["call", "block"]
    assert scope.recording().total_count == 5
    [finding] = pytest_dbguard.check(recording).findings
    assert (finding.rule, finding.scope, finding.tests) == ("DBG103", "block", ("block",))


def test_several_blocks_one_after_the_other(shop, connection, tmp_path):
    counts = []
    for number in range(3):
        with pytest_dbguard.record(root=tmp_path) as recording:
            shop["names"](connection, range(number))
        counts.append(recording.count)
    assert counts == [0, 1, 2]


def test_the_working_directory_is_the_root_by_default(shop, connection, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest_dbguard.record() as recording:
        shop["names"](connection, [1, 2])
    [finding] = pytest_dbguard.check(recording).findings
    assert finding.site.file == "shop.py"
    assert "shop.py:7" in pytest_dbguard.report(pytest_dbguard.check(recording))


SCRIPT = """
    import sys
    sys.modules["pytest"] = None  # whoever imports it fails
    import pytest_dbguard
    import shop
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE item (id INTEGER PRIMARY KEY)"))
        connection.execute(text("INSERT INTO item VALUES (1)"))
        with pytest_dbguard.record("script") as recording:
            shop.names(connection, [1, 2, 3])
    verdict = pytest_dbguard.check(recording)
    print(pytest_dbguard.report(verdict, kind="concise"))
    sys.exit(not verdict.passed)
"""


def test_a_script_needs_no_pytest(tmp_path):
    (tmp_path / "shop.py").write_text(APPLICATION)
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("shop.py:7:"), done.stdout
