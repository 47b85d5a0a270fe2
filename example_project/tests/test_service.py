"""The application on its own database service, from its start to its end."""

from __future__ import annotations

from fastapi.testclient import TestClient
from shop.web.app import app


def test_serves_from_its_own_sessions(dbguard_service):
    with TestClient(app) as client:
        assert client.get("/ready").json()["ok"]
        assert [product["sku"] for product in client.get("/catalogue").json()] == ["P0", "P1", "P2"]
        assert client.get("/references").json()[:2] == ["R00", "R01"]
    assert dbguard_service.state == "stopped"
