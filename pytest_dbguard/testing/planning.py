"""Plans in a run with `--dbguard`: gathers what tests ran on which schema, and judges it when they are over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_dbguard.analysis.observations import observation_from_json, observation_to_json, observations, texts_to_json
from pytest_dbguard.analysis.observed import Observed
from pytest_dbguard.analysis.plan_sources import PlanSources
from pytest_dbguard.analysis.plans import PlanJudge, PlanOutcome
from pytest_dbguard.databases.settings import start_options
from pytest_dbguard.testing.saved_workload import check_destination, save_workload

if TYPE_CHECKING:
    import pytest

    from pytest_dbguard.analysis.judge import ActiveRule
    from pytest_dbguard.analysis.schema_watch import SchemaReader
    from pytest_dbguard.config.model import Config
    from pytest_dbguard.databases.base import Server
    from pytest_dbguard.recording.exemplars import Exemplars
    from pytest_dbguard.recording.model import Recording


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
            ConfigError: When the file of statistics or the declared sizes cannot be used, or the file that is to get
                the workload cannot be written.
        """
        self._observed = Observed()
        self._root = root = pytest_config.rootpath
        self._saves_to = config.save_workload
        self._sources = PlanSources(
            root,
            config.statistics,
            config.scale,
            config.lab,
            start_options(config, root),
            partial(_running_server, pytest_config),
        )
        self._judge = PlanJudge(rules, self._sources)
        if self._judge.is_needed and self._sources.are_declared:
            # what is wrong with them is told before the tests run
            _ = self._sources.declared
        if self._saves_to is not None:
            check_destination(root, self._saves_to)

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

    def save(self, tests: Collection[str]) -> tuple[str, ...]:
        """Write what these tests ran where a setting asks for it, and return the lines that say so.

        Raises:
            ConfigError: When the file cannot be written.
        """
        if self._saves_to is None:
            return ()
        workloads = self._observed.workloads(frozenset(tests))
        return (save_workload(self._root, self._saves_to, workloads, self._observed.catalogs),)

    def judge(self, tests: Collection[str], *, is_whole: bool) -> PlanOutcome:
        """Return what the statements of these tests show; `is_whole` says whether these are all that there are."""
        if not self._judge.is_needed:
            return PlanOutcome()
        return self._judge.judge(self._observed, tests, is_whole=is_whole)


def _running_server(pytest_config: pytest.Config) -> Server | None:
    # with all that starts servers: nothing for the start of a run
    from pytest_dbguard.testing.database_run import database_run

    return database_run(pytest_config).running_server
