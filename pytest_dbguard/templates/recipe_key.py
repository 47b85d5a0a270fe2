"""What templates are known by: a hash of all that builds them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.templates.base import Recipe
from pytest_dbguard.templates.step_errors import summary

if TYPE_CHECKING:
    from sqlalchemy import URL


def recipe_key(recipe: Recipe, url: URL, *parts: str) -> str:
    """Return the key of what a recipe builds.

    Args:
        recipe: The steps, with their fingerprints.
        url: A database of the kind that it is built in.
        parts: What else makes databases of one recipe differ, such as the server's version.

    Raises:
        DatabaseError: When a file that a step reads cannot be read, naming the step.
    """
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode() + b"\0")
    dialect: Any = url.get_dialect()()
    for step in recipe.steps:
        try:
            fingerprint = step.fingerprint(dialect)
        except OSError as error:
            raise DatabaseError(f"{step.name}: {summary(error)}") from error
        found.update(type(step).__name__.encode() + b"\0" + hashlib.sha256(fingerprint).digest())
    return found.hexdigest()
