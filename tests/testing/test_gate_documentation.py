"""The examples of rules that compare a run with the baseline: accept what their first line says, then run the rest."""

from __future__ import annotations

import json
import re
import textwrap

import pytest

from pytest_dbguard.rules.documentation import code_of, sections
from pytest_dbguard.rules.registry import find_rule

FIRST_LINE = re.compile(r"# in the baseline: (.+)\n")
MODULE = """
from shop import Customer, Order
from sqlalchemy import select, text
from sqlalchemy.orm import joinedload


def orders_of(session, customer_id):
    return session.scalars(select(Order).where(Order.customer_id == customer_id)).all()


def run(session):
"""
TEST = """
from program import run
from shop import make_engine
from sqlalchemy.orm import Session


def test_program():
    with Session(make_engine()) as session:
        run(session)
"""


def rules_of(project, rule, heading):
    code = code_of(sections(find_rule(rule))[heading])
    accepted = FIRST_LINE.match(code)[1]
    project.write("test_shop.py", TEST)
    # the examples make the indexes that they are about
    project.write("shop.py", (project.path / "shop.py").read_text().replace(", index=True", ""))
    select = f"--dbguard-select={rule},DBG103"
    project.write("program.py", MODULE + f"    {accepted}\n")
    assert project.run("--dbguard", select, "--dbguard-update-baseline").ret == 0
    project.write("program.py", MODULE + textwrap.indent(code, "    "))
    project.run("--dbguard", select, "--dbguard-report=json:report.json")
    found = json.loads((project.path / "report.json").read_text())["findings"]
    return [finding["rule"] for finding in found if finding["rule"] == rule]


@pytest.mark.parametrize("rule", ["DBG902", "DBG903", "DBG912"])
def test_the_example_fires(project, rule):
    assert rules_of(project, rule, "Example") == [rule]


@pytest.mark.parametrize("rule", ["DBG902", "DBG903", "DBG912"])
def test_what_to_use_instead_is_silent(project, rule):
    assert rules_of(project, rule, "Use instead") == []
