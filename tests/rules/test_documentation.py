"""A rule's documentation is its test: the example fires that rule and no other, what to use instead is silent."""

from __future__ import annotations

import re
import tomllib

import pytest
from application import run_as_application, sqlite_engine
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from pytest_dbguard.analysis.plans import judges_plans
from pytest_dbguard.linting.alembic_scripts import alembic_migration
from pytest_dbguard.rules.documentation import HEADINGS, code_of, documentation, sections, summary
from pytest_dbguard.rules.registry import load_rules

# SQLAlchemy warns of what DBG301's cases do on purpose
pytestmark = pytest.mark.filterwarnings("ignore:SELECT statement has a cartesian product")
OPTIONS = re.compile(r"# dbguard: (\w+) = (.+)")
RULES = [pytest.param(rule, id=rule.name) for rule in load_rules()]
# the examples of rules that judge a whole run are tested where such runs are
OF_RECORDINGS = [pytest.param(rule, id=rule.name) for rule in load_rules() if not getattr(rule, "is_gate", False)]


def reviews_migrations(rule):
    """Whether the examples of a rule are scripts of Alembic."""
    return callable(getattr(rule, "review", None))


def found_in(rule, heading, directory):
    """Run the code of a section; a first line `# dbguard: key = value` gives an option of the rule, budget or sizes."""
    code = code_of(sections(rule)[heading])
    assert code
    if reviews_migrations(rule):
        migration = alembic_migration(code, "versions/2f6a.py")
        return [finding.rule for finding in rule(rule.options_model()).review(migration)]
    given = OPTIONS.match(code)
    options = tomllib.loads(f"{given[1]} = {given[2]}") if given else {}
    budget, scale = options.pop("max_queries", None), options.pop("scale", None)
    # what is judged by plans makes tables of its own: those of the application have keys without indexes
    engine = create_engine("sqlite://", poolclass=StaticPool) if judges_plans(rule) else sqlite_engine()
    plans = rule.code if judges_plans(rule) else None
    outcome = run_as_application(
        code, engine, directory, rules={rule.name: options}, budget=budget, plans=plans, scale=scale
    )
    engine.dispose()
    assert outcome.faults == ()
    return [finding.rule for finding in outcome.findings]


@pytest.mark.parametrize("rule", RULES)
def test_headings(rule):
    text = documentation(rule)
    found = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert found in ([*HEADINGS], [*HEADINGS, "Limits"])
    assert all(sections(rule)[heading] for heading in found)


@pytest.mark.parametrize("rule", RULES)
def test_the_first_sentence_says_what_it_does(rule):
    text = summary(rule)
    assert text[0].isupper()
    assert text.endswith((".", ":"))
    assert "\n" not in text


@pytest.mark.parametrize("rule", RULES)
def test_every_option_is_documented(rule):
    text = sections(rule)["Options"]
    assert set(re.findall(r"^- `(\w+)`", text, re.MULTILINE)) == set(rule.options_model.model_fields)


@pytest.mark.parametrize("rule", RULES)
def test_defaults_are_what_the_documentation_says(rule):
    said = dict(re.findall(r"^- `(\w+)` \(default ([^);]+)", sections(rule)["Options"], re.MULTILINE))
    assert said.pop("severity") == f'"{rule.severity}"'
    assert said == {name: f"{getattr(rule.options_model(), name):g}" for name in said}


@pytest.mark.parametrize("rule", OF_RECORDINGS)
def test_the_example_fires(rule, tmp_path, capsys):
    assert found_in(rule, "Example", tmp_path) == [rule.code]


@pytest.mark.parametrize("rule", OF_RECORDINGS)
def test_what_to_use_instead_is_silent(rule, tmp_path, capsys):
    assert found_in(rule, "Use instead", tmp_path) == []
