"""Check which databases can start here."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_dbguard.cli.checks.base import Check, State, Subject
from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import Provider
from pytest_dbguard.databases.registry import PROVIDERS, load_provider


def check_databases(subject: Subject) -> Iterator[Check]:
    """Yield each kind of database; one that cannot start is a problem only when the configuration asks for it."""
    wanted = subject.config_or_defaults().database
    for kind in PROVIDERS:
        provider = load_provider(kind)
        reason = provider.available()
        if reason is not None:
            why, _, step = reason.partition("; ")
            state = State.PROBLEM if kind == wanted else State.NOTE
            yield Check(state, f"database {kind} cannot start here: {why}", step)
        elif subject.start:
            yield _started(provider)
        else:
            yield Check(State.OK, f"database {kind} can start here")


def _started(provider: Provider) -> Check:
    try:
        database = provider.start()
    except DatabaseError as error:
        return Check(State.PROBLEM, f"database {provider.kind}: {error.message}", error.hint or "")
    version = database.version
    database.close()
    return Check(State.OK, f"database {provider.kind} {version} starts here")
