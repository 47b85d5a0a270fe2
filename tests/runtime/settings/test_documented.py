"""The example in the documentation of the settings works as it is said."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest_dbguard.runtime.settings as documented


def test_the_example(project, load, tmp_path):
    """With a file of its own for the password, since nobody has one at that path."""
    (tmp_path / "database").write_text("hunter2\n")
    lines = textwrap.dedent(documented.__doc__.partition("\n")[2]).splitlines()
    example = [line.strip() for line in lines if line.startswith("    ")]
    environ = dict(line.split("=", 1) for line in example if line.startswith("DBGUARD_"))
    environ["DBGUARD_RUNTIME_PASSWORD_FILE"] = str(tmp_path / "database")
    project("\n".join(line for line in example if not line.startswith("DBGUARD_")))
    settings = load(environ)
    assert settings.profile == "production"
    assert (settings.pool.size, settings.processes, settings.statement_s("analytics")) == (20, 4, 900)
    assert [(target.name, target.weight) for target in settings.targets()] == [
        ("primary", 1.0),
        ("readonly-1", 1.0),
        ("readonly-2", 2.0),
        ("analytics", 1.0),
    ]
    assert settings.target("analytics").url == settings.target("primary").url
    assert {target.url.reveal().password for target in settings.targets()} == {"hunter2"}


def test_production_has_no_pytest():
    code = "import sys; sys.modules['pytest'] = sys.modules['_pytest'] = None; import pytest_dbguard.runtime.settings"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
