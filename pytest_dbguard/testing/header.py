"""The lines at the top of a run: what dbguard judges, by which rules, against which baseline."""

from __future__ import annotations

import pytest

from pytest_dbguard.testing.settings import config_for


def header(pytest_config: pytest.Config) -> str:
    """Return the header line; values that differ from the defaults are named."""
    config = config_for(pytest_config)
    plugin = pytest_config.pluginmanager.get_plugin("dbguard-controller")
    parts = [f"{plugin.rules} rules", plugin.describe()] if plugin is not None else []
    changed = {
        "fail-on": (config.fail_on, "warning"),
        "test-code": (config.test_code, "note"),
        "select": (",".join(config.select), ""),
        "ignore": (",".join(config.ignore), ""),
        "max-queries": (config.max_queries, None),
    }
    parts += [f"{name}={value}" for name, (value, default) in changed.items() if value != default]
    return "dbguard: " + ", ".join(parts)
