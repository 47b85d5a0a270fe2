"""Has a forked child begin anew, and leave the connections of its parent alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar
from weakref import ref

_T = TypeVar("_T")


def in_children(owner: _T, begin: Callable[[_T], None]) -> None:
    """Call `begin(owner)` in each process forked from this one, as long as the owner lives.

    Python cannot take such a call back: what is left once the owner has gone is a dead weak reference.
    """
    if not hasattr(os, "register_at_fork"):
        return
    weak = ref(owner)

    def begin_in_child() -> None:
        alive = weak()
        if alive is not None:
            begin(alive)

    os.register_at_fork(after_in_child=begin_in_child)
