"""Runs one step of a recipe, and tells which one failed, why, and where in the project."""

from __future__ import annotations

import os
import sysconfig
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dbguard.core.errors import DatabaseError, DbguardError
from pytest_dbguard.templates.base import Step

if TYPE_CHECKING:
    from sqlalchemy import Engine

_PACKAGE = str(Path(__file__).parents[1])
_LIBRARIES = ("site-packages", "dist-packages", "<", sysconfig.get_path("stdlib"))
_BAD_DATA = "22"  # the class of errors that quote the value they do not like


def run_step(step: Step, engine: Engine) -> None:
    """Run a step of a recipe.

    Raises:
        DatabaseError: When it fails, with the name of the step, the error, and the line of the project it came from.
    """
    try:
        step.run(engine)
    except DbguardError as error:
        raise DatabaseError(f"{step.name}: {error.message}", hint=error.hint) from error
    except Exception as error:
        raise DatabaseError(
            f"{step.name} fails{_place(error)}: {summary(error)}",
            hint="the database it was building has been deleted; mend the cause and run again",
        ) from error


def summary(error: BaseException) -> str:
    """Return class and message of an error in one line, without the values that statements hold.

    Of what a driver says, that is the first line: parameters and the rows that break a rule come after it.
    """
    original: Any = getattr(error, "orig", None) or error
    primary = getattr(getattr(original, "diag", None), "message_primary", None)
    if primary and str(getattr(original, "sqlstate", "")).startswith(_BAD_DATA):
        primary = primary.partition(': "')[0]
    lines = str(primary or original).strip().splitlines()
    return f"{type(original).__name__}: {lines[0]}" if lines else type(original).__name__


def _place(error: BaseException) -> str:
    """Return the innermost place outside libraries; "" when there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(_PACKAGE)]
    own = [frame for frame in own if not any(part in frame.filename for part in _LIBRARIES)]
    if not own:
        return ""
    path = os.path.relpath(own[-1].filename)
    return f" at {path if not path.startswith('..') else own[-1].filename}:{own[-1].lineno} in {own[-1].name}"
