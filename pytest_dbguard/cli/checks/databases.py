"""Check which databases can start here."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_dbguard.cli.checks.base import Check, State, Subject
from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import Provider, StartOptions
from pytest_dbguard.databases.registry import PROVIDERS, load_provider
from pytest_dbguard.databases.settings import start_options


def check_databases(subject: Subject) -> Iterator[Check]:
    """Yield each kind of database; one that cannot start is a problem only when the configuration asks for it."""
    config = subject.config_or_defaults()
    wanted, options = config.database, start_options(config, subject.root)
    for kind in PROVIDERS:
        if kind == "postgres-url" and options.url is None:
            continue  # nothing to check
        provider = load_provider(kind)
        reason = provider.available(options)
        if reason is not None:
            why, _, step = reason.partition("; ")
            state = State.PROBLEM if kind == wanted else State.NOTE
            yield Check(state, f"database {kind} cannot start here: {why}", step)
        elif subject.start:
            yield _started(provider, options)
        else:
            yield Check(State.OK, f"database {kind} can start here")


def _started(provider: Provider, options: StartOptions) -> Check:
    try:
        server = provider.launch(options).ready()
    except DatabaseError as error:
        return Check(State.PROBLEM, f"database {provider.kind}: {error.message}", error.hint or "")
    version = server.version
    server.close()
    return Check(State.OK, f"database {provider.kind} {version} starts here")
