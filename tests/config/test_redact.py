"""No password is printed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_dbguard.config.redact import redact, redact_url

PASSWORDS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1).map(lambda text: f"hunter{text}2")


@settings(deadline=None)
@given(PASSWORDS)
def test_redact_leaves_no_password(password):
    assert "hunter" not in redact(f"postgresql+psycopg://me:{password}@host:5432/shop")
    assert "hunter" not in redact(f"postgresql://me:{password}")


@pytest.mark.parametrize("text", ["sqlite", "error", "shop/app.py:12", "a@b.example", "{path}: {value}"])
def test_redact_leaves_other_text_alone(text):
    assert redact(text) == text


@settings(deadline=None)
@given(PASSWORDS)
def test_redact_url_leaves_no_password(password):
    assert "hunter" not in redact_url(f"postgresql://me:{password}@host/shop")


def test_redact_url_keeps_what_helps():
    assert redact_url("postgresql://me:s3cret@host:5432/shop") == "postgresql://me:***@host:5432/shop"
    assert redact_url("postgresql://host/shop?password=s3cret&user=me") == "postgresql://host/shop?password=***&user=me"
    assert redact_url("sqlite:///shop.db") == "sqlite:///shop.db"
    assert redact_url("postgresql://me:s3cret") == "postgresql://***"
    assert "s3cret" not in redact_url("me:s3cret@host")
