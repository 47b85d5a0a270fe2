"""Builds the plugin objects of a run with `--dbguard` from its configuration."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_dbguard.analysis.judge import Judge, active_rules
from pytest_dbguard.analysis.plans import judges_plans
from pytest_dbguard.analysis.schema_watch import SchemaReader
from pytest_dbguard.analysis.setting_ignores import setting_ignores
from pytest_dbguard.analysis.silencer import Silencer
from pytest_dbguard.core.errors import DbguardError
from pytest_dbguard.recording.ownership import Ownership
from pytest_dbguard.testing.accepted import refuse_silent_update
from pytest_dbguard.testing.cold import ColdPlugin
from pytest_dbguard.testing.controller import ControllerPlugin
from pytest_dbguard.testing.run import RecordingPlugin
from pytest_dbguard.testing.scoping import PhaseRecorder
from pytest_dbguard.testing.settings import config_for

if TYPE_CHECKING:
    from pytest_dbguard.config.model import Config

RECORDING = "dbguard-recording"
CONTROLLER = "dbguard-controller"
COLD = "dbguard-cold"
READERS = frozenset({"DBG107", "DBG108"})
"""Rules that have to know which relationships are read."""


def start(pytest_config: pytest.Config) -> None:
    """Register what records in this process, and what judges the run where this is not a worker.

    Raises:
        pytest.UsageError: When configuration, baseline or report targets cannot be used.
    """
    config = config_for(pytest_config)
    try:
        rules = active_rules(
            select=config.select,
            ignore=config.ignore,
            preview=config.preview,
            tables=config.rules,
            slow_ms=None if config.sources["slow_ms"] == "default" else config.slow_ms,
            place=config.sources["rules"],
        )
        silencer = Silencer(Judge(rules), pytest_config.rootpath, setting_ignores(config, pytest_config.rootpath))
        if not hasattr(pytest_config, "workerinput"):
            refuse_silent_update(pytest_config, os.environ)
            controller = ControllerPlugin(config, pytest_config, silencer)
            pytest_config.pluginmanager.register(controller, CONTROLLER)
    except DbguardError as error:
        raise pytest.UsageError(f"dbguard: {error}") from None
    tracks_reads = any(each.rule.code in READERS for each in rules)
    reads_schemas = config.save_workload is not None or any(judges_plans(each.rule) for each in rules)
    schemas = SchemaReader() if reads_schemas else None
    phases = PhaseRecorder(ownership(config, pytest_config), tracks_reads=tracks_reads, schemas=schemas)
    recording = RecordingPlugin(phases, silencer, config, pytest_config)
    pytest_config.pluginmanager.register(recording, RECORDING)
    pytest_config.pluginmanager.register(ColdPlugin(recording, is_default=config.cold), COLD)


def ownership(config: Config, pytest_config: pytest.Config) -> Ownership:
    """Return who owns which file in this run."""
    return Ownership(
        pytest_config.rootpath,
        app_paths=config.app_paths,
        test_paths=config.test_paths,
        test_files=tuple(pytest_config.getini("python_files")),
    )
