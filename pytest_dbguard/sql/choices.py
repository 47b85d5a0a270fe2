"""Decides what may stand in place of a parameter, where a plan made for any value would be a wrong one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice, pairwise

from pytest_dbguard.sql.literals import Value, literal
from pytest_dbguard.sql.patterns import pattern_class, stand_in
from pytest_dbguard.sql.placeholders import Lexeme
from pytest_dbguard.sql.roles import Role

MAX_VARIANTS = 4
"""So many texts are made of one statement at most."""
_CLASSES = ("prefix", "exact", "leading", "any")
_LIKE = frozenset({"LIKE", "ILIKE", "GLOB", "~~", "~~*"})
_MAX_INTEGER = 2**63 - 1
_PATTERN_STEPS = 12


@dataclass(frozen=True, slots=True)
class Chooser:
    """Knows one statement, its dialect, and which columns' values belong into the text."""

    found: list[Lexeme]
    is_postgres: bool
    constants: Callable[[str], bool]

    def choices(self, roles: tuple[Role, ...], values: Mapping[int, tuple[Value, ...]]) -> dict[int, tuple[str, ...]]:
        """Return the texts that may be written for a parameter, by its position; those that stay are left out."""
        places = [index for index, token in enumerate(self.found) if token.key is not None]
        chosen = (
            (position, self._of(role, places[position], values[position]))
            for position, role in enumerate(roles)
            if values.get(position)
        )
        return {position: texts for position, texts in chosen if texts}

    def _of(self, role: Role, index: int, seen: tuple[Value, ...]) -> tuple[str, ...]:
        if role.role in ("limit", "offset"):
            return self._largest(seen)
        if role.role == "like":
            return self._patterns(index, seen)
        if role.role == "count":
            # whether there is any is another question than how many there are
            return self._literals(seen, 1) if seen in ((0,), (1,)) else ()
        if role.role in ("equal", "list") and role.column and self.constants(role.column):
            # of a list each member is one value: which ones came together is not known
            return self._literals(seen, MAX_VARIANTS if role.role == "equal" else 1)
        return ()

    def _largest(self, seen: tuple[Value, ...]) -> tuple[str, ...]:
        numbers = [value for value in seen if type(value) is int and value <= _MAX_INTEGER]
        return self._literals((max(numbers),), 1) if numbers else ()

    def _literals(self, seen: tuple[Value, ...], most: int) -> tuple[str, ...]:
        """Return the values as literals, in an order that does not depend on which test came first."""
        known = sorted((value for value in seen if value is not None), key=lambda value: (type(value).__name__, value))
        texts = (literal(value, is_postgres=self.is_postgres) for value in known)
        return tuple(dict.fromkeys(islice((text for text in texts if text is not None), most)))

    def _patterns(self, index: int, seen: tuple[Value, ...]) -> tuple[str, ...]:
        """Return a stand-in for each class of the patterns that were seen: never what people searched for."""
        is_glob = self._operator(index) == "GLOB"
        escape = self._escape(index)
        classes = {pattern_class(v, escape=escape, is_glob=is_glob) for v in seen if isinstance(v, str)}
        stand_ins = (stand_in(kind, is_glob=is_glob) for kind in _CLASSES if kind in classes)
        return tuple(f"'{text}'" for text in stand_ins)

    def _operator(self, index: int) -> str:
        """Return the operator that a pattern belongs to, looking back over what it is concatenated of."""
        before = reversed(self.found[max(index - _PATTERN_STEPS, 0) : index])
        return next((token.text.upper() for token in before if token.text.upper() in _LIKE), "")

    def _escape(self, index: int) -> str:
        """Return the character that ESCAPE tells, else the dialect's own."""
        after = self.found[index + 1 : index + 1 + _PATTERN_STEPS]
        for token, following in pairwise(after):
            if token.text.upper() == "ESCAPE":
                return following.text[1:-1] if following.kind == "string" else ""
            if token.kind == "word" and token.text.upper() in ("AND", "OR"):
                break
        return "\\" if self.is_postgres else ""
