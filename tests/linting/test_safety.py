"""What is known of expressions that are put into texts, and what they are called."""

from __future__ import annotations

import ast

import pytest

from pytest_dbguard.linting.placed_text import Safety
from pytest_dbguard.linting.safety import parameter_name, safety_of, stand_in


def expression(source):
    return ast.parse(source, mode="eval").body


@pytest.mark.parametrize(
    ("source", "safety"),
    [
        ("name", Safety.UNKNOWN),
        ("self.name", Safety.UNKNOWN),
        ("user['name']", Safety.UNKNOWN),
        ("str(name)", Safety.UNKNOWN),
        ("name.strip()", Safety.UNKNOWN),
        ("name + 1", Safety.UNKNOWN),
        ("','.join(map(str, names))", Safety.UNKNOWN),
        ("f'{name}'", Safety.UNKNOWN),
        ("'a'", Safety.CONSTANT),
        ("MAX_ROWS", Safety.CONSTANT),
        ("settings.MAX_ROWS", Safety.CONSTANT),
        ("Status.open", Safety.CONSTANT),
        ("app.Status.OPEN.value", Safety.CONSTANT),
        ("app.status.name", Safety.UNKNOWN),
        ("int(name)", Safety.CONSTANT),
        ("len(names) * 2", Safety.CONSTANT),
        ("str(int(name))", Safety.CONSTANT),
        ("','.join(str(int(each)) for each in names)", Safety.CONSTANT),
        ("uuid4()", Safety.CONSTANT),
        ("escape_string(name)", Safety.CONSTANT),
        ("placeholder", Safety.PLACEHOLDER),
        ("self.placeholders", Safety.PLACEHOLDER),
        ("row['params']", Safety.PLACEHOLDER),
        ("builder.param(name)", Safety.PLACEHOLDER),
        ("conversions.get(name, '?')", Safety.PLACEHOLDER),
        ("quote_ident(name)", Safety.NAME),
        ("preparer.quote(name)", Safety.NAME),
        ("statement.compile()", Safety.SQL),
    ],
)
def test_safety_of_expressions(source, safety):
    assert safety_of(expression(source)) is safety


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("name", "name"),
        ("user.Name", "name"),
        ("user['first name']", "first_name"),
        ("names[0]", "names"),
        ("str(user.id)", "id"),
        ("name.strip()", "name"),
        ("request.args.get('q')", "q"),
        ("user.get_id()", "get_id"),
        ("','.join(map(str, ids))", "ids"),
        ("','.join(each.id for each in users)", "users"),
        ("page * 10", "page"),
        ("1 + 2", "value"),
        ("row['1st']", "value_1st"),
        ("lambda: 1", "value"),
    ],
)
def test_names_of_parameters(source, name):
    assert parameter_name(expression(source)) == name


def test_a_name_that_stands_in_is_no_word_of_sql():
    assert (stand_in("table"), stand_in("users")) == ("table_", "users")
