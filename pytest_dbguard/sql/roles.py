"""Tells what each placeholder of a statement is for, from tokens alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_dbguard.sql.placeholders import Lexeme, is_postgres_style, lexemes

_EQUAL = frozenset({"=", "==", "<>", "!="})
_RANGE = frozenset({"<", ">", "<=", ">="})
_LIKE = frozenset({"LIKE", "ILIKE", "GLOB", "~~", "~~*"})
_ENDS_CLAUSE = frozenset(
    {"SELECT", "FROM", "WHERE", "RETURNING", "FOR", "UNION", "INTERSECT", "EXCEPT", "ORDER", "GROUP", "ROW", "ROWS"}
    | {"HAVING", "WHEN", "ON"}
)
_CLAUSES = {"SET": "set", "LIMIT": "limit", "FETCH": "limit", "OFFSET": "offset"}
# a word before a parenthesis that makes it no call of a function
_NO_CALL = frozenset(
    {"AND", "OR", "NOT", "WHERE", "ON", "WHEN", "THEN", "ELSE", "HAVING", "SELECT", "BETWEEN", "IS", "FROM", "BY", "AS"}
    | {"LIKE", "ILIKE", "GLOB", "LIMIT", "OFFSET", "SET", "IN", "CASE", "DISTINCT", "SYMMETRIC", "FILTER", "USING"}
)
_OPERATORS = frozenset({"+", "-", "*", "/", "%", "||", "->", "->>", "#>", "#>>", "&", "|", "^", "#"})
_PATTERN_FUNCTIONS = frozenset({"LOWER", "UPPER", "CONCAT"})
_PATTERN_STEPS = 12
_MAX_PARENTHESES = 20


@dataclass(frozen=True, slots=True)
class Role:
    """What one placeholder is for.

    Attributes:
        role: "limit", "offset", "like" (also within a concatenation), "equal" (also `<>` and IS DISTINCT FROM),
            "list" (of IN, `= ANY`), "range", "count" (what a COUNT is compared with), "other" (also what is written:
            VALUES, SET).
        column: Name of the column that it is compared with, without alias and quotes, in small letters where
            PostgreSQL reads it so; "" where it is compared with no plain column.
        key: The name of named styles, else the index in the sequence of parameters, from 0.
    """

    role: str
    column: str = ""
    key: str | int = 0


def placeholder_roles(text: str, style: str) -> tuple[Role, ...]:
    """Return a role for each placeholder in the order of the text; one that is named twice counts twice.

    Linear in the length of the text, about 2 µs a token.
    """
    found = lexemes(text, style)
    return _Reader(found, folds=is_postgres_style(style)).roles()


def roles_of(found: list[Lexeme], style: str) -> tuple[Role, ...]:
    """Return the same for tokens that are there already."""
    return _Reader(found, folds=is_postgres_style(style)).roles()


@dataclass(slots=True)
class _Group:
    """One parenthesis that is open: where it begins, the clause that it stands in, and the members so far."""

    start: int
    clause: str
    member: int = 0
    between: int = -1
    limits: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    """Walks once over the tokens of a text and looks back from each placeholder."""

    found: list[Lexeme]
    folds: bool
    words: list[str] = field(default_factory=list)
    opened: dict[int, int] = field(default_factory=dict)
    groups: list[_Group] = field(default_factory=lambda: [_Group(-1, "")])
    lower_ends: dict[int, int] = field(default_factory=dict)
    result: list[Role] = field(default_factory=list)

    def roles(self) -> tuple[Role, ...]:
        self.words = [t.text.upper() if t.kind == "word" else t.text if t.kind == "sign" else "" for t in self.found]
        for index, (token, word) in enumerate(zip(self.found, self.words, strict=True)):
            if token.kind == "parameter":
                self._take(index, token)
            elif word:
                self._follow(index, word)
        return tuple(self.result)

    def _follow(self, index: int, word: str) -> None:
        """Keep track of parentheses and clauses."""
        group = self.groups[-1]
        if word == "(":
            self.groups.append(_Group(index, group.clause))
        elif word == ")":
            if len(self.groups) > 1:
                self.opened[index] = self.groups.pop().start
        elif word == ",":
            self._next_member(group)
        elif word == "BETWEEN":
            group.between = index
        elif word == "AND" and group.between >= 0:
            self.lower_ends[index], group.between = group.between, -1
        elif word in _CLAUSES:
            group.clause = _CLAUSES[word]
        elif word in _ENDS_CLAUSE:
            group.clause = ""

    def _next_member(self, group: _Group) -> None:
        group.member += 1
        if group.clause == "limit":
            # LIMIT offset, count
            for place in group.limits:
                self.result[place] = Role("offset", "", self.result[place].key)
            group.limits.clear()

    def _take(self, index: int, token: Lexeme) -> None:
        clause = self.groups[-1].clause
        key = token.key if token.key is not None else 0
        if clause in ("limit", "offset"):
            self.groups[-1].limits.append(len(self.result))
            self.result.append(Role(clause, "", key))
        elif clause == "set":
            self.result.append(Role("other", "", key))
        else:
            role, column = self._compared(index)
            self.result.append(Role(role, column, key))

    def _compared(self, index: int) -> tuple[str, str]:
        """Return the role and the column of the placeholder at a token."""
        liked = self._liked(index)
        if liked >= 0:
            return "like", self._column_before(self._not_before(liked))
        before = self._out_of_parentheses(index)
        word = self.words[before] if before >= 0 else ""
        if word == "IN" and before != index - 1:
            return self._listed(before)
        found = self._after_sign(before, word)
        if found is not None:
            return found
        if word in (",", "("):
            return self._member(before)
        return self._before_sign(index)

    def _after_sign(self, before: int, word: str) -> tuple[str, str] | None:
        """Return what a placeholder is whose comparison stands before it; None where none does."""
        if (word in _EQUAL or word in _RANGE) and self._is_count_before(before - 1):
            return "count", ""
        if word in _EQUAL:
            return "equal", self._column_before(before - 1)
        if word in _RANGE:
            return "range", self._column_before(before - 1)
        if word == "IN":
            return self._listed(before)
        if word in ("ANY", "SOME") and self._word(before - 1) == "=":
            return "list", self._column_before(before - 2)
        if word == "BETWEEN" or before in self.lower_ends or (word == "SYMMETRIC" and self._word(before - 1)):
            at = self.lower_ends.get(before, before - (word == "SYMMETRIC"))
            return "range", self._column_before(self._not_before(at))
        return self._after_is(before, word)

    def _after_is(self, before: int, word: str) -> tuple[str, str] | None:
        if word == "FROM" and self._word(before - 1) == "DISTINCT":
            before -= 2
            word = self._word(before)
        if word == "NOT" and self._word(before - 1) == "IS":
            before, word = before - 1, "IS"
        return ("equal", self._column_before(before - 1)) if word == "IS" else None

    def _before_sign(self, index: int) -> tuple[str, str]:
        """Return what a placeholder is that stands before its comparison: `? = column`, `? < column`."""
        before = self._word(index - 1)
        after = index + 1
        while after < len(self.found) and self.found[after].kind == "cast":
            after += 1
        sign = self._word(after)
        if before in _OPERATORS or not (sign in _EQUAL or sign in _RANGE):
            return "other", ""
        if self._is_count_at(after + 1):
            return "count", ""
        return ("equal" if sign in _EQUAL else "range"), self._column_after(after + 1)

    def _is_count_before(self, at: int) -> bool:
        """Whether a call of COUNT ends at a token, or a query that gives nothing else."""
        start = self.opened.get(at, -1)
        return start >= 0 and (self._word(start - 1) == "COUNT" or self._is_count_at(start))

    def _is_count_at(self, at: int) -> bool:
        """Whether a call of COUNT begins at a token, or a query that gives it first."""
        return self.words[at : at + 2] == ["COUNT", "("] or self.words[at : at + 3] == ["(", "SELECT", "COUNT"]

    def _listed(self, at: int) -> tuple[str, str]:
        """Return what a direct member of an IN list is."""
        if self._word(at - 1) == "NOT":
            return "other", ""
        return "list", self._column_before(at - 1, member=0)

    def _member(self, before: int) -> tuple[str, str]:
        """Return what a member after the first is, of a list, a tuple that is compared, or a list of tuples."""
        group = self.groups[-1]
        owner = self._word(group.start - 1)
        if owner == "IN":
            return self._listed(group.start - 1)
        if owner in _EQUAL or owner in _RANGE:
            return ("equal" if owner in _EQUAL else "range"), self._column_before(group.start - 2, member=group.member)
        outer = self.groups[-2] if len(self.groups) > 1 else group
        at = outer.start - 1
        if owner in ("(", ",", "VALUES") and self._word(at) == "IN" and self._word(at - 1) != "NOT":
            return "list", self._column_before(at - 1, member=group.member)
        return "other", ""

    def _out_of_parentheses(self, index: int) -> int:
        """Return the token before a placeholder and before the parentheses and CAST( around it alone."""
        before = index - 1
        depth = len(self.groups) - 1
        while self._word(before) == "(" and depth > max(len(self.groups) - _MAX_PARENTHESES, 0):
            owner = self._word(before - 1)
            if owner in ("IN", "ANY", "SOME"):
                return before - 1
            if owner == "CAST":
                before -= 2
            elif self._is_call(before) or self._is_tuple(before):
                return before
            else:
                before -= 1
            depth -= 1
        return before

    def _is_tuple(self, start: int) -> bool:
        """Whether a parenthesis that is still open holds a comma before it closes."""
        depth = 0
        for word in self.words[start + 1 :]:
            if word == "(":
                depth += 1
            elif word == ")":
                depth -= 1
                if depth < 0:
                    return False
            elif word == "," and not depth:
                return True
        return False

    def _is_call(self, start: int) -> bool:
        """Whether the parenthesis that begins at a token holds the arguments of a function, or rows to write."""
        before = start - 1
        if before < 0 or self.found[before].kind not in ("word", "quoted"):
            return False
        return self.words[before] not in _NO_CALL

    def _liked(self, index: int) -> int:
        """Return the token of the LIKE whose pattern a placeholder is, or is a part of; -1 without one."""
        at, commas = index - 1, False
        for _ in range(_PATTERN_STEPS):
            word = self._word(at)
            if word in _LIKE:
                return -1 if commas else at
            kind = self.found[at].kind if at >= 0 else ""
            if word == "CONCAT":
                commas = False
            elif word == ",":
                commas = True
            elif word not in ("||", "(", ")", "CAST", *_PATTERN_FUNCTIONS) and kind not in (
                "string",
                "parameter",
                "cast",
            ):
                return -1
            at -= 1
        return -1

    def _not_before(self, at: int) -> int:
        """Return the last token of the operand before LIKE, BETWEEN or IN, over NOT."""
        return at - 2 if self._word(at - 1) == "NOT" else at - 1

    def _column_before(self, at: int, member: int = 0) -> str:
        """Return the column that ends at a token, or that member of the tuple which ends there; "" for all else."""
        at = self._plain_end(at)
        if at < 0:
            return ""
        if self._word(at) == ")":
            start = self.opened.get(at, -1)
            return "" if start < 0 or self._is_call(start) else self._inner(start + 1, at, member)
        first = self._name_start(at)
        before = self._word(first - 1)
        return "" if first < 0 or before in _OPERATORS else self._name(at)

    def _plain_end(self, at: int) -> int:
        """Step back over casts and COLLATE."""
        while at >= 0:
            if self.found[at].kind == "cast":
                at -= 1
            elif self._word(at - 1) == "COLLATE":
                at -= 2
            else:
                return at
        return at

    def _inner(self, start: int, end: int, member: int) -> str:
        """Return the column that is one member between two tokens."""
        depth = count = 0
        first = start
        for index in range(start, end + 1):
            word = self.words[index]
            if index == end or (word == "," and not depth):
                if count == member:
                    last = self._plain_end(index - 1)
                    return self._name(last) if last >= first and self._name_start(last) == first else ""
                count, first = count + 1, index + 1
            depth += (word == "(") - (word == ")")
        return ""

    def _column_after(self, at: int) -> str:
        """Return the column that begins at a token; "" for all else."""
        while self._word(at) == "(":
            at += 1
        while self._word(at + 1) == ".":
            at += 2
        if self._name_start(min(at, len(self.found) - 1)) < 0 or self._word(at + 1) in ("(", *_OPERATORS):
            return ""
        return self._name(at)

    def _name_start(self, at: int) -> int:
        """Return where a name with its qualifiers begins that ends at a token; -1 where it is no name."""
        if at < 0 or self.found[at].kind not in ("word", "quoted") or self.words[at] in _NO_CALL:
            return -1
        while at >= 2 and self._word(at - 1) == "." and self.found[at - 2].kind in ("word", "quoted"):
            at -= 2
        return at

    def _name(self, at: int) -> str:
        if not 0 <= at < len(self.found):
            return ""
        token = self.found[at]
        if token.kind == "quoted":
            return token.text[1:-1].replace(token.text[0] * 2, token.text[0])
        if token.kind != "word" or self.words[at] in ("NULL", "TRUE", "FALSE", "END", "CURRENT_TIMESTAMP"):
            return ""
        return token.text.lower() if self.folds else token.text

    def _word(self, at: int) -> str:
        return self.words[at] if 0 <= at < len(self.words) else ""
