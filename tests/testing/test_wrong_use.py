"""Wrong use: one clear message that names the place and the next step, exit status 4, no traceback."""

from __future__ import annotations

import pytest

MARKED = "import pytest\n\n@pytest.mark.dbguard({})\ndef test_marked():\n    pass\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dbguard-fail-on=eror"], "*fail-on*'eror'*did you mean 'error'*"),
        (["--dbguard-select=DBG10I"], "*unknown rule 'DBG10I'*"),
        (["--dbguard-ignore=n-plus-on"], "*unknown rule 'n-plus-on'*"),
        (["--dbguard-report=jsn"], "*unknown report type 'jsn'*"),
        (["--dbguard-report=json:/proc/none/report.json"], "*json:/proc/none/report.json*cannot be written*"),
        (["--dbguard-test-code=maybe"], "*test-code*'maybe'*"),
        (["--dbguard-max-queries=few"], "*--dbguard-max-queries*'few'*"),
    ],
)
def test_flag(project, arguments, message):
    result = project.run("--dbguard", *arguments)
    assert result.ret == 4
    _has_line(result, message)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("fail-onn = 'error'", "*pyproject.toml*unknown key 'fail-onn'*did you mean 'fail-on'*"),
        ("max-queries = 'x'", "*pyproject.toml*max-queries*'x'*"),
        ("[tool.dbguard.rules.n-plus-one]\nthreshhold = 3", "*n-plus-one*'threshhold'*did you mean 'threshold'*"),
        ("[tool.dbguard.rules.n-plus-one]\nthreshold = 0", "*n-plus-one.threshold*0*"),
        ("[tool.dbguard.rules.n-plus-on]\nthreshold = 3", "*unknown rule 'n-plus-on'*"),
        ("select = [", "*pyproject.toml*"),
    ],
)
def test_table(project, table, message):
    path = project.path / "pyproject.toml"
    path.write_text(path.read_text() + "\n[tool.dbguard]\n" + table + "\n")
    result = project.run("--dbguard", "-c", "/dev/null", "--rootdir", str(project.path))
    assert result.ret == 4
    _has_line(result, message)


def test_environment_variable(project, monkeypatch):
    monkeypatch.setenv("DBGUARD_FAIL_ONN", "error")
    result = project.run("--dbguard")
    assert result.ret == 4
    _has_line(result, "*DBGUARD_FAIL_ONN*")


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "xdist"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("max_querys=3", "*test_marked.py::test_marked*no keyword 'max_querys'*"),
        ("max_queries='3'", "*test_marked.py::test_marked*max_queries*'3'*"),
        ("ignore=['DBG999'], reason='x'", "*test_marked.py::test_marked*unknown rule 'DBG999'*"),
        ("5", "*test_marked.py::test_marked*keywords only*"),
    ],
)
def test_marker(project, arguments, message, workers):
    project.write("test_marked.py", MARKED.format(arguments))
    result = project.run("--dbguard", "test_marked.py", *workers)
    assert result.ret == 4
    _has_line(result, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": 99, "findings": []}', "*dbguard-baseline.json*99*"),
        ("{", "*dbguard-baseline.json*"),
        ("<<<<<<< HEAD\n{}", "*dbguard-baseline.json*"),
    ],
)
def test_baseline(project, text, message):
    project.write("dbguard-baseline.json", text)
    result = project.run("--dbguard")
    assert result.ret == 4
    _has_line(result, message)


def _has_line(result, message):
    shown = result.stdout.str() + result.stderr.str()
    pytest.LineMatcher(shown.splitlines() + [" ".join(shown.split())]).fnmatch_lines([message])
    assert "Traceback" not in shown
    assert "INTERNALERROR" not in shown


@pytest.mark.parametrize("flag", ["--dbguard-update-baseline", "--dbguard-prune-baseline"])
def test_flags_of_the_baseline_need_a_recording(project, flag):
    result = project.run(flag)
    assert result.ret == 4
    _has_line(result, f"*{flag} needs --dbguard*")
    assert project.run(flag, "--no-dbguard").ret == 0
