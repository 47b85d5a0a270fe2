"""Reads scripts of DDL word by word: statements as tokens, names, types, parts in parentheses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from pytest_dbguard.sql.tokens import Token, tokens

_COPY_DATA = re.compile(r"(?im)^(copy\b[^;]*\bfrom\s+stdin\b[^;]*;[^\n]*)\n.*?^\\\.[^\n]*$", re.DOTALL)
_META_COMMAND = re.compile(r"(?m)^\\[^\n]*$")
_BLOCKS = frozenset({"TRIGGER", "FUNCTION", "PROCEDURE"})
_TIGHT = frozenset("()[],.")


def ddl_statements(text: str) -> Iterator[tuple[Token, ...]]:
    r"""Yield the tokens of each statement of a script, without its semicolon; offsets are those of the text.

    What psql reads by itself (`\connect`, rows of COPY) is no statement. The body of a trigger stays whole.
    """
    found: list[Token] = []
    depth = 0
    for token in tokens(_without_psql(text)):
        word = token.text.upper() if token.kind == "word" else ""
        if token.text == ";" and depth <= 0:
            if found:
                yield tuple(found)
            found, depth = [], 0
            continue
        if found and _opens_block(found, word):
            depth += 1
        elif word == "END" and depth > 0:
            depth -= 1
        found.append(token)
    if found:
        yield tuple(found)


def _opens_block(found: Sequence[Token], word: str) -> bool:
    """Whether BEGIN or CASE stands in what CREATE TRIGGER and the like hold."""
    if word not in ("BEGIN", "CASE") or found[0].text.upper() != "CREATE":
        return False
    return any(token.text.upper() in _BLOCKS for token in found[:6])


def _without_psql(text: str) -> str:
    if "\\" not in text:
        return text
    text = _COPY_DATA.sub(lambda match: match[1] + _blank(match[0][len(match[1]) :]), text)
    return _META_COMMAND.sub(lambda match: _blank(match[0]), text)


def _blank(text: str) -> str:
    """Return as many characters of the same lines."""
    return re.sub(r"[^\n]", " ", text)


class Words:
    """A place in the tokens of a statement."""

    def __init__(self, found: Sequence[Token]) -> None:
        self._tokens = tuple(found)
        self._at = 0

    @property
    def offset(self) -> int:
        """Offset of the next token; of the last one behind the end."""
        return self._tokens[min(self._at, len(self._tokens) - 1)].offset if self._tokens else 0

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return self._at >= len(self._tokens)

    @property
    def next(self) -> str:
        """The next token in capitals; "" at the end. Quoted names and strings stand as they are."""
        if self.is_done:
            return ""
        token = self._tokens[self._at]
        return token.text.upper() if token.kind == "word" else token.text

    def skip(self, *words: str) -> bool:
        """Pass over these words if they are next; return whether they were."""
        wanted = len(words)
        found = [t.text.upper() if t.kind == "word" else t.text for t in self._tokens[self._at : self._at + wanted]]
        if found != list(words):
            return False
        self._at += wanted
        return True

    def skip_any(self, *words: str) -> str:
        """Pass over one of these words and return it; "" where none is next."""
        return next((word for word in words if self.skip(word)), "")

    def take(self) -> Token:
        """Return the next token and pass over it; the caller knows that there is one."""
        token = self._tokens[self._at]
        self._at += 1
        return token

    def name(self) -> str:
        """Pass over a name and return it without quotes, as `schema.table`; "" where none is next."""
        parts: list[str] = []
        while not self.is_done and self._tokens[self._at].kind in ("word", "quoted"):
            parts.append(unquoted(self.take().text))
            if not self.skip("."):
                break
        return ".".join(parts)

    def names(self) -> tuple[str, ...]:
        """Pass over names with commas between them."""
        found = [self.name()]
        while self.skip(","):
            found.append(self.name())
        return tuple(name for name in found if name)

    def parenthesis(self) -> tuple[Token, ...]:
        """Pass over what stands in parentheses and return it without them; () where none is next."""
        if not self.skip("("):
            return ()
        return self.until(")", passing=True)

    def until(self, *stops: str, passing: bool = False) -> tuple[Token, ...]:
        """Pass over everything up to one of these words outside of parentheses; over that too if `passing`."""
        found: list[Token] = []
        depth = 0
        while not self.is_done:
            if depth == 0 and self.next in stops:
                if passing:
                    self._at += 1
                break
            token = self.take()
            depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
            found.append(token)
        return tuple(found)

    def parts(self) -> Iterator[Words]:
        """Yield what is left, divided at commas outside of parentheses."""
        while not self.is_done:
            part = self.until(",", passing=True)
            if part:
                yield Words(part)

    def rest(self) -> str:
        """Return what is left as words with a space between them, in capitals; strings left out."""
        left = self._tokens[self._at :]
        return " ".join(token.text.upper() for token in left if token.kind != "string")


def unquoted(name: str) -> str:
    """Return a name without its quotes."""
    return name[1:-1].replace('""', '"') if name[:1] in ('"', "`", "[") and len(name) > 1 else name


def column_names(found: Sequence[Token]) -> tuple[str, ...]:
    """Return the names in a list of columns; an expression has none."""
    return tuple(name for part in Words(found).parts() if (name := part.name()) and part.next != "(")


def joined(found: Sequence[Token]) -> str:
    """Return tokens as SQL, the words of a type with one space between them: `character varying(50)`."""
    text = found[0].text if found else ""
    for before, token in pairwise(found):
        is_tight = before.text in "([." or token.text in _TIGHT or token.kind == "cast"
        text += token.text if is_tight else f" {token.text}"
    return text
