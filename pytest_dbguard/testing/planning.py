"""Plans in a run with `--dbguard`: gathers what tests ran on which schema, and judges it when they are over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dbguard.analysis.observations import observation_from_json, observation_to_json, observations, texts_to_json
from pytest_dbguard.analysis.observed import Observed
from pytest_dbguard.analysis.plans import PlanJudge, PlanOutcome
from pytest_dbguard.testing.database_run import database_run

if TYPE_CHECKING:
    import pytest

    from pytest_dbguard.analysis.judge import ActiveRule
    from pytest_dbguard.analysis.schema_watch import SchemaReader
    from pytest_dbguard.config.model import Config
    from pytest_dbguard.planning.lab.registry import LabChoice
    from pytest_dbguard.planning.statistics.model import Statistics
    from pytest_dbguard.recording.exemplars import Exemplars
    from pytest_dbguard.recording.model import Recording
    from pytest_dbguard.schema.catalog import Catalog


def observed_in(recordings: Iterable[Recording]) -> list[Any]:
    """Return what a test ran, as JSON values for its report."""
    return [observation_to_json(observed) for observed in observations(recordings)]


def process_words(reader: SchemaReader | None, exemplars: Exemplars) -> dict[str, Any]:
    """Return as JSON values what a process knows of schemas and texts when its tests are over."""
    if reader is None or not reader.catalogs:
        return {}
    from pytest_dbguard.schema.document import catalog_to_json

    catalogs = {schema: catalog_to_json(catalog) for schema, catalog in reader.catalogs.items()}
    return {"catalogs": catalogs, "texts": texts_to_json(exemplars)}


class RunPlanning:
    """What the controller knows of the statements of a run, and the judge of their plans."""

    def __init__(self, config: Config, pytest_config: pytest.Config, rules: Iterable[ActiveRule]) -> None:
        """Prepare to judge.

        Raises:
            ConfigError: When the file of statistics or the declared sizes cannot be used.
        """
        self._config = config
        self._pytest_config = pytest_config
        self._root: Path = pytest_config.rootpath
        self._observed = Observed()
        self._judge = PlanJudge(rules, self._statistics_for, self._open_lab)
        if self._judge.is_needed and (config.scale or config.statistics is not None):
            # what is wrong with them is told before the tests run
            _ = self._statistics

    def take(self, test: str, value: Iterable[list[Any]]) -> None:
        """Take in what a test ran."""
        self._observed.take(test, map(observation_from_json, value))

    def learn(self, words: Mapping[str, Any]) -> None:
        """Take in what a process knew when its tests were over."""
        if not words:
            return
        from pytest_dbguard.schema.document import catalog_from_json

        catalogs = {
            schema: catalog_from_json(value)
            for schema, value in words["catalogs"].items()
            if schema not in self._observed.catalogs
        }
        self._observed.learn(catalogs, words["texts"])

    def judge(self, tests: Collection[str]) -> PlanOutcome:
        """Return what the statements of these tests show; nothing where no rule is about plans."""
        return self._judge.judge(self._observed, tests) if self._judge.is_needed else PlanOutcome()

    @cached_property
    def _statistics(self) -> Statistics:
        from pytest_dbguard.planning.statistics.load import load_statistics

        return load_statistics(self._root, path=self._config.statistics, scale=self._config.scale)

    def _statistics_for(self, catalog: Catalog) -> Statistics:
        from pytest_dbguard.planning.statistics.completion import completed

        return completed(self._statistics, catalog)

    def _open_lab(self, catalog: Catalog, statistics: Statistics) -> LabChoice:
        from pytest_dbguard.databases.settings import start_options
        from pytest_dbguard.planning.lab.registry import LabOptions, open_lab

        server = database_run(self._pytest_config).running_server
        options = LabOptions(
            mode=self._config.lab,
            server=server,
            server_was_given=server is not None and not server.is_ours,
            start=start_options(self._config, self._root),
        )
        return open_lab(catalog, statistics, options)
