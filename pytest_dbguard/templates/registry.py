"""Which templates a server has."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from pytest_dbguard.core.errors import DatabaseError, did_you_mean
from pytest_dbguard.databases.base import Server
from pytest_dbguard.templates.base import Finish, Templates
from pytest_dbguard.templates.runs import Run

# by what the server's URL begins with; strings, so that the other one is never imported
_TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        "sqlite": "pytest_dbguard.templates.sqlite_templates:SqliteTemplates",
        "postgresql": "pytest_dbguard.templates.postgres_templates:PostgresTemplates",
    }
)


def templates_for(server: Server, run: Run, *, project: Path | None = None, finish: Finish | None = None) -> Templates:
    """Return the templates of a server.

    Args:
        server: Where they are.
        run: The run that makes copies of them.
        project: Directory of the project, which keeps its newest templates.
        finish: Called with a driver connection to each template that was built, before it is ready.

    Raises:
        DatabaseError: For a kind of database that nobody makes templates of.
    """
    family = server.url.get_backend_name()
    if family not in _TEMPLATES:
        raise DatabaseError(f"there are no templates of databases of {family!r}", hint=did_you_mean(family, _TEMPLATES))
    module, _, attribute = _TEMPLATES[family].partition(":")
    templates: Templates = getattr(import_module(module), attribute)(server, run, project=project, finish=finish)
    return templates
