"""The mark that every database of ours carries in its comment: what it is for, and whose."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

FORMAT: Final = 1
"""Version of the mark. 1: kind, run, key, project, used, test."""


class Kind(StrEnum):
    """What a database of ours is for."""

    COPY = "copy"
    """What tests of one run use; gone with the run."""

    BUILD = "build"
    """A template that is being built."""

    TEMPLATE = "template"
    """Never changed, only copied."""

    KEPT = "kept"
    """What a failed test has left, until somebody deletes it."""

    DEVELOPMENT = "development"
    """The database of `dbguard db up`."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What the comment of a database says."""

    kind: Kind
    run: str = ""
    key: str = ""
    """Of a template: the hash of all that builds it."""

    project: str = ""
    """A hash of the project's directory."""

    used: str = ""
    """When it was made or used last, in UTC, ISO 8601."""

    test: str = ""
    """The test whose database it was."""

    @property
    def used_at(self) -> datetime:
        """When it was used last; long ago where that is not known."""
        with suppress(ValueError):
            found = datetime.fromisoformat(self.used)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        return datetime.min.replace(tzinfo=UTC) + timedelta(days=1)

    def used_now(self, now: datetime | None = None) -> Mark:
        """Return the same mark with the present time."""
        return replace(self, used=(now or datetime.now(UTC)).isoformat(timespec="seconds"))

    def comment(self) -> str:
        """Return the text of the comment."""
        told = {key: str(value) for key, value in asdict(self).items() if value}
        return json.dumps({"dbguard": FORMAT, **told}, ensure_ascii=True)


def read_mark(comment: str | None) -> Mark | None:
    """Return what a comment says; None when it is not one of ours."""
    with suppress(ValueError, TypeError, LookupError):
        told = json.loads(comment or "")
        if isinstance(told, dict) and told.get("dbguard") == FORMAT:
            known = {key: str(told[key]) for key in ("run", "key", "project", "used", "test") if key in told}
            return Mark(Kind(told["kind"]), **known)
    return None


def project_key(project: Path | None) -> str:
    """Return what marks call a project: a hash, so that the path is not told to whoever sees the server."""
    return "" if project is None else hashlib.sha256(str(project.resolve()).encode()).hexdigest()[:12]
