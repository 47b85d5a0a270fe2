"""The CI plugin that lets no test skip itself."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.mark.parametrize("workers", ["0", "2"])
def test_skips_and_expected_failures_fail(pytester, monkeypatch, workers):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.skip(reason="no database")
        def test_marked(): ...
        def test_calls(): pytest.skip("not here")
        @pytest.mark.xfail(reason="a bug")
        def test_fails(): assert False
        @pytest.mark.xfail(reason="a bug")
        def test_fails_no_more(): ...
        def test_runs(): ...
        """
    )
    result = pytester.runpytest_subprocess("-p", "no_skips", "-n", workers)
    result.assert_outcomes(passed=1, failed=3, errors=1)
    result.stdout.fnmatch_lines_random(["*nothing may be skipped*no database*", "*nothing may be skipped*a bug*"])


def test_a_module_that_skips_itself_is_an_error(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    pytester.makepyfile("import pytest\npytest.importorskip('no_such_module_at_all')\ndef test_runs(): ...")
    pytester.runpytest_subprocess("-p", "no_skips").assert_outcomes(errors=1)
