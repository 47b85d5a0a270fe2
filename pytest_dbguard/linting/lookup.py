"""Tells which assignment a name or an attribute gets its value from."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from pytest_dbguard.linting.scopes import Binding, Place, Scope, class_around

_LAST = 1 << 60


def bindings_of(name: str, place: Place) -> tuple[Sequence[Binding], Place] | None:
    """Return the assignments to a name, and the place from which they are seen; None for a name of elsewhere.

    From within a function, those of a module are seen as they are at its end.
    """
    scope: Scope | None = place.scope
    while scope is not None:
        bindings = scope.bindings.get(name)
        if bindings and scope is place.scope:
            return bindings, place
        if bindings and not scope.is_class:
            return bindings, Place(scope, bindings[0].place.blocks[:1], _LAST)
        scope = scope.parent
    return None


def latest(bindings: Sequence[Binding], seen_from: Place) -> int | None:
    """Return the number of the last assignment that was made whatever way led to a place."""
    for number in reversed(range(len(bindings))):
        binding = bindings[number]
        if not binding.adds and binding.place.dominates(seen_from):
            return number
    return None


def attribute_binding(node: ast.Attribute, place: Place, classes: Mapping[str, Scope]) -> Binding | None:
    """Return the one assignment to `self.name`, `cls.name` or `Class.name`; None where there are none or several."""
    match node.value:
        case ast.Name(id="self" | "cls"):
            owner = class_around(place.scope)
        case ast.Name(id=name):
            owner = classes.get(name)
        case _:
            owner = None
    if owner is None:
        return None
    bindings = [*owner.bindings.get(node.attr, ()), *owner.attributes.get(node.attr, ())]
    return bindings[0] if len(bindings) == 1 and bindings[0].is_known else None
