"""Check one table of settings against its model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pytest_dbguard.config.problems import Problem, problem_of, raise_problems, unknown_key

Model = TypeVar("Model", bound=BaseModel)


def field_name(key: str) -> str:
    """Return the name of the field that a key in a file stands for: "max-queries" is max_queries."""
    return key.replace("-", "_")


def key_name(field: str) -> str:
    """Return the key under which files hold a field: max_queries is "max-queries"."""
    return field.replace("_", "-")


def read_table(model: type[Model], table: Mapping[str, Any], *, place: str, key: str) -> Model:
    """Return the table as an instance of its model.

    Args:
        model: What the table must look like; unknown keys are refused when the model forbids them.
        table: Keys as written in the file, with hyphens or underscores.
        place: The file, as shown to people.
        key: Dotted key of the table, such as "tool.dbguard.rules.n-plus-one".

    Raises:
        ConfigError: That tells everything that is wrong with the table.
    """
    instance, problems = check_table(model, table, place=place, key=key)
    raise_problems(problems)
    if instance is None:
        raise AssertionError("a table that does not validate has problems")
    return instance


def check_table(
    model: type[Model], table: Mapping[str, Any], *, place: str, key: str
) -> tuple[Model | None, list[Problem]]:
    """Return the table as an instance of its model, or None and all that is wrong with it."""
    values, written, problems = _by_field(table, place, key)
    instance: Model | None = None
    try:
        instance = model.model_validate(values)
    except ValidationError as error:
        keys: Mapping[str, str | None] = getattr(model, "key_of", {})
        known = [each for name in model.model_fields if (each := keys.get(name, key_name(name))) is not None]
        for detail in error.errors(include_url=False):
            if detail["type"] == "extra_forbidden":
                problems.append(unknown_key(place, key, written[str(detail["loc"][0])], known))
            else:
                problems.append(problem_of(detail, place, _dotted(key, detail["loc"], written)))
    return (None if problems else instance), problems


def _by_field(table: Mapping[str, Any], place: str, key: str) -> tuple[dict[str, Any], dict[str, str], list[Problem]]:
    """Return the values by field, the key that was written for each, and keys that are written twice."""
    values: dict[str, Any] = {}
    written: dict[str, str] = {}
    problems: list[Problem] = []
    for name, value in table.items():
        field = field_name(name)
        if field in values:
            hint = f"keep one of {written[field]!r} and {name!r}"
            problems.append(Problem(place, dotted_key(key, name), "given twice", hint))
        values[field], written[field] = value, name
    return values, written, problems


def dotted_key(*parts: str) -> str:
    """Return the dotted key of its parts, leaving out empty ones."""
    return ".".join(part for part in parts if part)


def _dotted(prefix: str, location: tuple[int | str, ...], written: Mapping[str, str]) -> str:
    first, *rest = location
    dotted = dotted_key(prefix, written.get(str(first), str(first)))
    for part in rest:
        dotted += f"[{part}]" if isinstance(part, int) else f".{part}"
    return dotted
