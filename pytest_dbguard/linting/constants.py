"""Tells what text an expression of Python makes, as far as its file tells, and what is put into it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_dbguard.linting.calls import called_name
from pytest_dbguard.linting.filling import NUMBER_FORMAT, Argument, filled_by_format, filled_by_percent
from pytest_dbguard.linting.lookup import attribute_binding, bindings_of, latest
from pytest_dbguard.linting.placed_text import Hole, Lines, Part, Piece, Safety, has_text, shortened
from pytest_dbguard.linting.recognising import is_statement
from pytest_dbguard.linting.safety import is_number, parameter_name, safety_of
from pytest_dbguard.linting.scopes import Binding, FileWalk, Place
from pytest_dbguard.linting.string_literals import Field, literal_parts

_MAX_DEPTH = 16
_SAME_SQL = frozenset({"strip", "lstrip", "rstrip", "dedent", "cleandoc", "expandtabs", "SQL", "text"})
_COMPOSED_SAFETY = {"Identifier": Safety.NAME, "Literal": Safety.PLACEHOLDER, "Placeholder": Safety.PLACEHOLDER}


@dataclass(frozen=True, slots=True)
class Made:
    """What an expression makes.

    Attributes:
        parts: Its text and what is put into it, in order.
        is_whole: Whether that is all, whatever way the program takes.
        is_composed: Whether psycopg composes it, and quotes what is put into it.
        literals: Offsets of the string literals in it.
    """

    parts: tuple[Part, ...]
    is_whole: bool = True
    is_composed: bool = False
    literals: frozenset[int] = frozenset()

    def __add__(self, other: Made) -> Made:
        return Made(
            self.parts + other.parts,
            self.is_whole and other.is_whole,
            self.is_composed or other.is_composed,
            self.literals | other.literals,
        )


class Evaluator:
    """Makes texts of the expressions of one file."""

    def __init__(self, walk: FileWalk, lines: Lines) -> None:
        self._walk = walk
        self._lines = lines
        self._source = lines.source
        self._depth = 0

    def made(self, node: ast.expr, place: Place) -> Made | None:
        """Return what an expression makes; None where no text of it is known."""
        if self._depth >= _MAX_DEPTH:
            return None
        self._depth += 1
        try:
            return self._made(node, place)
        finally:
            self._depth -= 1

    def _made(self, node: ast.expr, place: Place) -> Made | None:
        match node:
            case ast.Constant(value=str() as text):
                return self._literal(node, text, place)
            case ast.Constant(value=bool() | None):
                return None
            case ast.Constant(value=int() | float() as number):
                return Made((Piece(str(number), self._start(node, place)),))
            case ast.JoinedStr(values=values):
                return self._fields(node, values, place)
            case ast.BinOp(op=ast.Add()):
                return self._sum(node, place)
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                return self._percent(left, right, place)
            case ast.BinOp(left=left, op=ast.Mult()):
                return self.made(left.elts[0] if isinstance(left, ast.List) and left.elts else left, place)
            case ast.IfExp(body=body, orelse=orelse):
                return self._either(body, orelse, place)
            case ast.NamedExpr(value=value) | ast.Await(value=value):
                return self.made(value, place)
            case ast.Name(id=name):
                return self._named(name, place)
            case ast.Attribute():
                return self._attribute(node, place)
            case ast.Call():
                return self._call(node, place)
        return self._template(node, place)

    def _template(self, node: ast.expr, place: Place) -> Made | None:
        """Return what a template string makes (Python 3.14): the driver binds what is put into it."""
        if type(node).__name__ != "TemplateStr":
            return None
        made = self._fields(node, getattr(node, "values", []), place)
        bound = (replace(part, safety=Safety.PLACEHOLDER) if isinstance(part, Hole) else part for part in made.parts)
        return replace(made, parts=tuple(bound))

    def _start(self, node: ast.expr, place: Place) -> int:
        return self._lines.offset(node.lineno, node.col_offset) if place.anchor is None else place.anchor

    def _end(self, node: ast.expr) -> int:
        return self._lines.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def _literal(self, node: ast.expr, text: str, place: Place) -> Made:
        start = self._start(node, place)
        if place.anchor is not None:
            return Made((Piece(text, start),))
        parts = literal_parts(self._source, start, self._end(node))
        return Made(tuple(part for part in parts if isinstance(part, Piece)), literals=frozenset({start}))

    def _fields(self, node: ast.expr, values: Sequence[ast.expr], place: Place) -> Made:
        """Return what an f-string makes."""
        put_in = [value for value in values if not isinstance(value, ast.Constant)]
        start = self._start(node, place)
        made = Made((), literals=frozenset() if place.anchor is not None else frozenset({start}))
        if place.anchor is not None:
            for value in values:
                made += (
                    Made((Piece(str(value.value), start),))
                    if isinstance(value, ast.Constant)
                    else self._put(getattr(value, "value", value), "f-string", place, start, start)
                )
            return made
        number = 0
        for part in literal_parts(self._source, start, self._end(node)):
            if isinstance(part, Piece):
                made += Made((part,))
            elif number < len(put_in):
                made += self._field(part, getattr(put_in[number], "value", put_in[number]), place)
                number += 1
        return made

    def _field(self, part: Field, value: ast.expr, place: Place) -> Made:
        put = self._put(value, "f-string", replace(place, anchor=part.start), part.start, part.end)
        # of dates as well: no text can be formatted like one
        if NUMBER_FORMAT.fullmatch(part.format) or "%" in part.format:
            holes = (replace(p, safety=Safety.CONSTANT) if isinstance(p, Hole) else p for p in put.parts)
            return replace(put, parts=tuple(holes))
        return put

    def _put(self, value: ast.expr, how: str, place: Place, start: int, end: int) -> Made:
        """Return what stands for an expression that is put into a text: its own text where that is known."""
        made = self.made(value, place)
        if made is not None and made.parts and not made.literals and has_text(made.parts):
            # a number stands where it is put in, wherever it comes from
            return replace(made, parts=tuple(p if isinstance(p, Hole) else Piece(p.text, start) for p in made.parts))
        if made is not None and made.parts:
            return made
        return Made((self._hole(value, how, place, start, end),))

    def _hole(self, value: ast.expr, how: str, place: Place, start: int, end: int) -> Hole:
        safety = safety_of(value)
        if safety is Safety.UNKNOWN and isinstance(value, ast.Name):
            origin = self._value_of(value.id, place)
            safety = safety_of(origin) if origin is not None else safety
            safety = Safety.CONSTANT if self._is_number(value.id, place) else safety
        return Hole(start, end, how, parameter_name(value), shortened(ast.unparse(value)), safety)

    def _sum(self, node: ast.BinOp, place: Place) -> Made | None:
        """Return the sum of all that is added, without going deeper for each."""
        operands: list[ast.expr] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add):
            operands.append(left.right)
            left = left.left
        operands = [left, *reversed(operands)]
        made = [self.made(operand, place) for operand in operands]
        if all(each is None for each in made):
            return None
        parts = (each or self._added(operand, place) for each, operand in zip(made, operands, strict=True))
        return sum(parts, Made(()))

    def _added(self, node: ast.expr, place: Place) -> Made:
        anchor = place.anchor
        start, end = (self._start(node, place), self._end(node)) if anchor is None else (anchor, anchor)
        return Made((self._hole(node, "+", place, start, end),))

    def _percent(self, left: ast.expr, right: ast.expr, place: Place) -> Made | None:
        template = self.made(left, place)
        if template is None:
            return None
        match right:
            case ast.Tuple(elts=values):
                arguments: dict[str | int, ast.expr] = dict(enumerate(values))
            case ast.Dict(keys=keys, values=values):
                arguments = {
                    key.value: value
                    for key, value in zip(keys, values, strict=True)
                    if isinstance(key, ast.Constant) and isinstance(key.value, str)
                }
            case _:
                arguments = {0: right}
        return self._filled(template, filled_by_percent(template.parts), arguments, right, "%", place)

    def _format(self, template: Made, call: ast.Call, place: Place) -> Made:
        arguments: dict[str | int, ast.expr] = dict(enumerate(call.args))
        arguments |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
        return self._filled(template, filled_by_format(template.parts), arguments, call, "format", place)

    def _filled(
        self,
        template: Made,
        parts: Sequence[Part | Argument],
        arguments: dict[str | int, ast.expr],
        whole: ast.expr,
        how: str,
        place: Place,
    ) -> Made:
        """Return a template with its arguments in place."""
        made = replace(template, parts=())
        for part in parts:
            if not isinstance(part, Argument):
                made += Made((part,))
                continue
            node = arguments.get(part.key)
            if node is None:
                start, end = self._start(whole, place), self._end(whole)
                expression = part.key if isinstance(part.key, str) else ast.unparse(whole)
                made += Made((Hole(start, end, how, part.name, shortened(expression)),))
            elif template.is_composed:
                made += self._composed(node, place)
            else:
                put = self._put(node, how, place, self._start(node, place), self._end(node))
                is_number = part.is_number and len(put.parts) == 1
                made += Made(tuple(_numbered(p) for p in put.parts), put.is_whole) if is_number else put
        return made

    def _composed(self, node: ast.expr, place: Place) -> Made:
        """Return what psycopg puts into a composed statement; it quotes all but what it is told to take as SQL."""
        made = self.made(node, place)
        if made is not None and has_text(made.parts):
            return made
        name = called_name(node) if isinstance(node, ast.Call) else ""
        hole = self._hole(node, "format", place, self._start(node, place), self._end(node))
        if isinstance(node, ast.Call) and node.args and isinstance(argument := node.args[0], ast.Constant):
            hole = replace(hole, name=str(argument.value))
        return Made((replace(hole, safety=_COMPOSED_SAFETY.get(name, Safety.SQL)),))

    def _either(self, body: ast.expr, orelse: ast.expr, place: Place) -> Made | None:
        """Return the longer of two texts, as a part; as a whole where both are words like ASC, or statements."""
        choices = [made for made in (self.made(body, place), self.made(orelse, place)) if made is not None]
        if not choices:
            return None
        texts = ["".join(p.text if isinstance(p, Piece) else "?" * 99 for p in made.parts) for made in choices]
        longest = choices[max(range(len(choices)), key=lambda number: len(texts[number]))]
        if len(choices) == 2 and all(map(is_statement, texts)):
            return longest
        are_words = len(choices) == 2 and all(text.strip().isalpha() and len(text) < 16 for text in texts)
        literals = frozenset[int]().union(*(made.literals for made in choices))
        return replace(longest, is_whole=are_words and longest.is_whole, literals=literals)

    def _call(self, node: ast.Call, place: Place) -> Made | None:
        name = called_name(node)
        on = node.func.value if isinstance(node.func, ast.Attribute) else None
        if name in ("format", "format_map") and on is not None:
            template = self.made(on, place)
            return None if template is None else self._format(template, node, place)
        if name == "join" and on is not None and len(node.args) == 1:
            return self._join(on, node.args[0], place)
        if name == "replace" and on is not None:
            replaced = self.made(on, place)
            return None if replaced is None else replace(replaced, is_whole=False)
        if name in _SAME_SQL:
            return self._same(node, on, name, place)
        if name == "str" and on is None and len(node.args) == 1:
            return self.made(node.args[0], place)
        return None

    def _same(self, node: ast.Call, on: ast.expr | None, name: str, place: Place) -> Made | None:
        inner = self.made(node.args[0], place) if node.args else None
        if inner is None and on is not None:
            inner = self.made(on, place)
        return replace(inner, is_composed=True) if inner is not None and name == "SQL" else inner

    def _join(self, separator: ast.expr, texts: ast.expr, place: Place) -> Made | None:
        """Return texts with what stands between them; of a comprehension one stands for all."""
        between = self.made(separator, place)
        return None if between is None else self._join_of(between, texts, place)

    def _join_of(self, between: Made, texts: ast.expr, place: Place) -> Made | None:
        match texts:
            case ast.List(elts=values) | ast.Tuple(elts=values) if values:
                made = self._joined(values[0], place)
                for value in values[1:]:
                    made += between + self._joined(value, place)
                return made
            case ast.Name(id=name):
                return self._collected(between, name, place)
            case ast.GeneratorExp(elt=elt) | ast.ListComp(elt=elt):
                return self.made(elt, place)
            case ast.BinOp(op=ast.Mult()):
                return self.made(texts, place)
            case ast.Call(func=ast.Name(id="repeat") | ast.Attribute(attr="repeat"), args=[value, *_]):
                return self.made(value, place)
        return None

    def _collected(self, between: Made, name: str, place: Place) -> Made | None:
        """Return all texts that a list is made of and that are appended to it, on whatever way."""
        origin = self._value_of(name, place)
        if isinstance(origin, ast.GeneratorExp | ast.ListComp | ast.BinOp):
            return self._join_of(between, origin, place)
        values = [(each, place) for each in origin.elts] if isinstance(origin, ast.List | ast.Tuple) else []
        appended = place.scope.appended.get(name, ())
        values += [(each.value, each.place) for each in appended if each.value is not None]
        if not values:
            return None
        made = self._joined(*values[0])
        for value in values[1:]:
            made += between + self._joined(*value)
        return replace(made, is_whole=made.is_whole and not appended)

    def _joined(self, value: ast.expr, place: Place) -> Made:
        made = self.made(value, place)
        return made if made is not None else self._added(value, place)

    def _named(self, name: str, place: Place) -> Made | None:
        found = bindings_of(name, place)
        return None if found is None else self._bound(name, *found)

    def _value_of(self, name: str, place: Place) -> ast.expr | None:
        found = bindings_of(name, place)
        number = None if found is None else latest(*found)
        return None if found is None or number is None else found[0][number].value

    def _is_number(self, name: str, place: Place) -> bool:
        """Whether a name is a parameter of a function that is said to be a number, and nothing else later."""
        found = bindings_of(name, place)
        return found is not None and len(found[0]) == 1 and is_number(found[0][0].annotation)

    def _bound(self, name: str, bindings: Sequence[Binding], seen_from: Place) -> Made | None:
        number = latest(bindings, seen_from)
        value = None if number is None else bindings[number].value
        if number is None or value is None:
            return None
        made = self.made(value, bindings[number].place)
        for binding in bindings[number + 1 :]:
            if made is not None and binding.place.order < seen_from.order:
                made = self._grown(made, name, binding, seen_from)
        return made

    def _grown(self, made: Made, name: str, binding: Binding, seen_from: Place) -> Made:
        """Return a text after a further assignment, which may be one of several ways."""
        is_sure = binding.place.dominates(seen_from)
        value = binding.value
        if binding.adds and value is not None:
            added = self.made(value, binding.place) or self._added(value, binding.place)
            return replace(made + added, is_whole=made.is_whole and added.is_whole and is_sure)
        builds_on = value is None or any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(value))
        return replace(made, is_whole=made.is_whole and not builds_on)

    def _attribute(self, node: ast.Attribute, place: Place) -> Made | None:
        binding = attribute_binding(node, place, self._walk.classes)
        if binding is not None and binding.value is not None:
            return self.made(binding.value, binding.place)
        is_of_enumeration = node.attr == "value" and isinstance(node.value, ast.Attribute)
        return self.made(node.value, place) if is_of_enumeration else None


def _numbered(part: Part) -> Part:
    return replace(part, safety=Safety.CONSTANT) if isinstance(part, Hole) else part
