"""Serialisers and templates that read relationships."""

from __future__ import annotations

import json

from shop import presenters


def test_pydantic(session):
    """pydantic reads a parent of each row."""
    assert len(presenters.heads(session)) == 13


def test_type_adapter(session):
    """pydantic goes over the list by itself."""
    assert len(presenters.heads_at_once(session)) == 13


def test_marshmallow(session):
    """marshmallow goes over the list by itself."""
    assert len(presenters.dumped(session)) == 13


def test_template(session):
    """A template reads a parent of each row."""
    assert presenters.page(session).count("<li>") == 26


def test_template_macro(session):
    """A macro of a template reads a collection of each row."""
    assert presenters.cards(session).count("<p>") == 12


def test_json_default(session):
    """The default function of json.dumps() reads a collection of each row."""
    assert len(json.loads(presenters.to_json(session))) == 13


def test_dataclass(session):
    """A class method makes a data object of each row."""
    assert len(presenters.rows(session)) == 13


def test_attrgetter(session):
    """attrgetter() reads a parent of each row, called by map()."""
    assert len(presenters.names(session)) == 13


# --- as it should be ---


def test_pydantic_loaded(session):
    """pydantic over rows with all that it reads. # expect: none"""
    assert len(presenters.whole_orders(session)) == 13


def test_pydantic_of_one(session):
    """pydantic over one row, which loads its parent and its items. # expect: none"""
    assert len(presenters.one_order(session, 1).items) == 3


def test_marshmallow_loaded(session):
    """marshmallow over rows with all that it reads. # expect: none"""
    assert len(presenters.dumped_loaded(session)) == 13


def test_marshmallow_only(session):
    """marshmallow told to leave the parent out. # expect: none"""
    assert presenters.numbers_only(session)[0] == {"number": "n-0"}


def test_template_loaded(session):
    """The same template over loaded rows. # expect: none"""
    assert presenters.page_loaded(session).count("<li>") == 26


def test_template_macro_loaded(session):
    """The same macro over loaded rows. # expect: none"""
    assert presenters.cards_loaded(session).count("<p>") == 12


def test_json_loaded(session):
    """The same default function over loaded rows. # expect: none"""
    assert len(json.loads(presenters.to_json_loaded(session))) == 13


def test_attrgetter_loaded(session):
    """Two levels by attrgetter() over loaded rows. # expect: none"""
    assert len(presenters.names_loaded(session)) == 38
