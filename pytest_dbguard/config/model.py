"""The settings of dbguard: every one with its type, its default and its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StrictBool, StrictStr

from pytest_dbguard.core.findings import Severity

LeaksMode = Literal["warn", "fail", "ignore"]
Role = Literal["primary", "readonly", "analytics"]
FailOn = Literal["error", "warning", "note", "never"]
TestCode = Literal["note", "report", "off"]
LabMode = Literal["auto", "server", "off"]

NO_BASELINE = "none"
DEFAULT_ENVIRONMENT = "test"
ENVIRONMENT_KEY = "default-env"
"""What files call the field `env`: TOML allows no text where `[tool.dbguard.env.NAME]` makes a table."""
ONLY_AS_FLAG = frozenset({"update_baseline", "prune_baseline"})
"""Settings that hold for one run: in a file or variable they would rewrite the baseline every time."""

Text = Annotated[StrictStr, Field(min_length=1)]
Texts = tuple[Text, ...]
Name = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
"""The name of a database or a reset; which there are, their registries know: others may add some."""


_SHORT_NAMES = {"dev": "development", "prod": "production"}
PRODUCTION = "production"


def canonical(environment: str) -> str:
    """Return the full name of an environment: "dev" is "development", "prod" is "production"."""
    return _SHORT_NAMES.get(environment, environment)


class EnvConfig(BaseModel):
    """One environment, from the table `[tool.dbguard.env.NAME]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    database: Name | None = None
    """Kind of database that the fixtures start in this environment."""

    url: Annotated[Text | None, Field(repr=False)] = None
    """URL of a running server, on which the fixtures make databases of their own."""

    trusted_hosts: Texts | None = None
    """Hosts of `url` that are for tests though they look like production."""

    image: Text | None = None
    """Image of the container."""

    reset: Name | None = None
    """How a test gets clean data."""

    metadata: Text | Texts | None = None
    """Tables to create, as `module:attribute`, such as "shop.models:Base"."""

    migrations: Text | Texts | None = None
    """Instead: an alembic.ini, SQL files or globs of them, or a function as `module:function`, in order."""

    seed: Text | Texts | None = None
    """Functions as `module:function` that add the data all tests start from."""


class Config(BaseModel):
    """All settings, merged from every source; see `load_config` for the order.

    Keys in files are written with hyphens (`max-queries`); underscores are accepted too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    select: Texts = ()
    """Rules to run, by code, prefix of codes or name; empty means all that are stable."""

    ignore: Texts = ()
    """Rules to leave out, by code, prefix of codes or name; `RULE:SUBJECT` for one subject; wins over `select`."""

    per_path_ignores: dict[Text, Texts] = Field(default_factory=dict)
    """What to leave out, as in `ignore`, by globs of the paths of the code or of the tests, relative to the root."""

    preview: StrictBool = False
    """Whether findings of preview rules weigh what the rule says instead of being notes."""

    fail_on: FailOn = "warning"
    """Least severity of a new finding that fails the run."""

    test_code: TestCode = "note"
    """What becomes of findings about test code: tell their number, report them like others, or drop them."""

    app_paths: Texts = ()
    """Directories of the application, relative to the root; empty means all that is neither library nor test."""

    test_paths: Texts = ()
    """Directories of test code besides what pytest collects, relative to the root."""

    max_queries: Annotated[int | None, Field(strict=True, ge=0)] = None
    """Most queries that one test may run; none means no budget."""

    slow_ms: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] = 500.0
    """Milliseconds from which one statement is slow."""

    cold: StrictBool = False
    """Whether tests run a second time with sessions emptied before the application reads, to show hidden loads."""

    show_queries: StrictBool = False
    """Whether to print the queries of failing tests."""

    baseline: Text = "dbguard-baseline.json"
    """File of accepted findings, relative to the root; "none" judges everything."""

    counts: StrictBool = True
    """Whether the baseline holds how many queries each test runs, and tests that run more are findings."""

    update_baseline: StrictBool = False
    """Whether this run accepts what it finds; only a flag can say so."""

    prune_baseline: StrictBool = False
    """Whether this run drops accepted findings that no longer occur; only a flag can say so."""

    report: Texts = ()
    """Reports to write, each `TYPE` or `TYPE:DEST`."""

    database: Name | None = None
    """Kind of database that the fixtures start; none means what `url` says, else SQLite."""

    url: Annotated[Text | None, Field(repr=False)] = None
    """URL of a running server, on which the fixtures make databases of their own."""

    trusted_hosts: Texts = ()
    """Hosts of `url` that are for tests though they look like production."""

    image: Text | None = None
    """Image of the container; none means the provider's own choice."""

    reset: Name = "committed"
    """How a test gets clean data: undo what it committed, roll back, copy, empty all tables, or not at all."""

    metadata: Text | Texts | None = None
    """Tables to create, as `module:attribute`, such as "shop.models:Base"."""

    migrations: Text | Texts | None = None
    """Instead: an alembic.ini, SQL files or globs of them, or a function as `module:function`, in order."""

    seed: Text | Texts | None = None
    """Functions as `module:function` that add the data all tests start from."""

    engines: dict[Text, Role] = Field(default_factory=dict)
    """Engines of the application that lead to the test's database, as `module:attribute`, with their roles."""

    leaks: LeaksMode = "warn"
    """What becomes of connections and transactions that a test leaves open: warn, fail the test, or only end them."""

    keep: StrictBool = False
    """Whether the database of a failed test is kept, and where it is printed."""

    cache_dir: Text | None = None
    """Directory for databases that later runs start from; none means the user's cache."""

    cache_mb: Annotated[int, Field(strict=True, ge=0)] = 1024
    """Megabytes that this directory may hold."""

    statistics: Text | None = None
    """File of production's planner statistics; none means dbguard-stats.json where it stands at the root."""

    scale: dict[str, Any] = Field(default_factory=dict)
    """Rows of production's tables, as `orders = 10_000_000`, `default`, and `columns` for what is known of columns."""

    lab: LabMode = "auto"
    """Where plans are made: a disposable database, also on a server that was given by its URL, or nowhere."""

    save_workload: Text | None = None
    """File that gets the statements of the run, without values, for `dbguard advise`; relative to the root."""

    lint_targets: Texts = ()
    """What `dbguard lint` judges where nothing is named: files, directories, models; none means the directory."""

    lint_exclude: Texts = ()
    """Globs of paths below the root that `dbguard lint` does not look into; files that are named are read."""

    env: Text = DEFAULT_ENVIRONMENT
    """Name of the environment in use; files say `default-env`, since `env` holds the tables."""

    envs: dict[str, EnvConfig] = Field(default_factory=dict)
    """Environments by name, from the tables `[tool.dbguard.env.NAME]`."""

    rules: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Options of rules by the name of the rule, as written in the tables `[tool.dbguard.rules.NAME]`."""

    key_of: ClassVar[Mapping[str, str | None]] = {
        **dict.fromkeys(ONLY_AS_FLAG),
        "env": ENVIRONMENT_KEY,
        "envs": "env",
    }
    """What files call fields that they do not hold under their own name; None for those they do not hold."""

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def sources(self) -> dict[str, str]:
        """Where the value of each setting came from, such as "flag --dbguard-max-queries" or "default"."""
        return {name: self._sources.get(name, "default") for name in type(self).model_fields}

    @property
    def environment(self) -> EnvConfig:
        """The environment in use; an empty one where no table describes it."""
        wanted = canonical(self.env)
        return next((table for name, table in self.envs.items() if canonical(name) == wanted), EnvConfig())

    @property
    def fail_level(self) -> Severity | None:
        """Least severity that fails the run; None for never."""
        return None if self.fail_on == "never" else Severity(self.fail_on)

    def baseline_path(self, root: Path) -> Path | None:
        """Return the baseline's file; None when no baseline is used."""
        return None if self.baseline == NO_BASELINE else root / self.baseline

    def with_sources(self, sources: Mapping[str, str]) -> Config:
        """Return the same settings, knowing where they came from."""
        copy = self.model_copy()
        copy._sources = dict(sources)
        return copy
