"""Text fits the terminal; colour is only for terminals."""

from __future__ import annotations

import io

import pytest

from pytest_dbguard.cli.markdown import print_markdown
from pytest_dbguard.cli.output import Output, standard_output
from pytest_dbguard.reports.style import Style


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TestColor:
    def test_on_a_terminal(self):
        assert standard_output(Terminal(), {}).style.color

    def test_not_in_a_pipe(self):
        assert not standard_output(io.StringIO(), {}).style.color

    @pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
    def test_not_when_unwanted(self, environ):
        assert not standard_output(Terminal(), environ).style.color


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("300", 100)])
def test_width(monkeypatch, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    assert standard_output(io.StringIO(), {}).width == width


def test_table_wraps_its_last_column(capsys):
    Output(width=24).table([("DBG1", "one two three four"), ("DBG10", "five")], header=("CODE", "WHAT"))
    assert capsys.readouterr().out.splitlines() == [
        "CODE   WHAT",
        "DBG1   one two three",
        "       four",
        "DBG10  five",
    ]


MARKDOWN = """\
## What it does
Finds things that are
wrong, or nearly.

And more.

## Example
Like this:

```python
for order in orders:

    print(order.customer.name, order.customer.address, order.customer.city)
```

## Options
- `threshold` (default 2): the number from which
  they are reported.
- `severity`
"""

PRINTED = """\
What it does
  Finds things that are wrong,
  or nearly.

  And more.

Example
  Like this:

    for order in orders:

        print(order.customer.name, order.customer.address, order.customer.city)

Options
  - `threshold` (default 2): the
    number from which they are
    reported.
  - `severity`
"""


def test_markdown(capsys):
    print_markdown(MARKDOWN, Output(width=32))
    assert capsys.readouterr().out == PRINTED


def test_markdown_headings_are_bold(capsys):
    print_markdown("## Why\nBecause.", Output(style=Style(color=True)))
    assert capsys.readouterr().out == "\033[1mWhy\033[0m\n  Because.\n"
