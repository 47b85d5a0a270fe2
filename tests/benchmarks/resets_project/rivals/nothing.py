"""No database at all: what pytest itself takes for a test with one fixture."""

from __future__ import annotations

import pytest


@pytest.fixture
def session():
    yield None
