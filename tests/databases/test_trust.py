"""Which servers look like production."""

from __future__ import annotations

import pytest

from pytest_dbguard.databases.trust import distrust

NEAR = [
    "localhost",
    "LOCALHOST",
    "127.0.0.1",
    "::1",
    "[::1]",
    "10.1.2.3",
    "172.17.0.2",
    "192.168.1.5",
    "169.254.1.1",
    "fe80::1",
    "db",
    "postgres",
    "postgres.local",
    "db.svc.cluster.local",
    "host.docker.internal",
    "db.shop.test",
    "db.localhost.",
    "/var/run/postgresql",
    "@abstract",
    "products",
    "olive",
    "delivery.internal",
]


@pytest.mark.parametrize("host", NEAR)
def test_a_host_near_by_is_trusted(host):
    assert distrust([host], "shop", "me") is None


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("db.example.com", "is on the public network"),
        ("8.8.8.8", "is on the public network"),
        ("2001:4860:4860::8888", "is on the public network"),
        ("shop.abc123.eu-west-1.rds.amazonaws.com", "is one of Amazon RDS"),
        ("SHOP.ABC.EU-WEST-1.RDS.AMAZONAWS.COM.", "is one of Amazon RDS"),
        ("shop.postgres.database.azure.com", "is one of Azure Database"),
        ("ep-cool.eu-central-1.aws.neon.tech", "is one of Neon"),
        ("db.abc.supabase.co", "is one of Supabase"),
        ("db-prod", "has the word 'prod' in its name"),
        ("production.internal", "has the word 'production' in its name"),
        ("prd2.local", "has the word 'prd' in its name"),
        ("live.shop.test", "has the word 'live' in its name"),
    ],
)
def test_a_host_that_may_serve_customers_is_not(host, reason):
    told = distrust([host], "shop", "me")
    assert reason in told
    assert "add '" in told
    assert "to `trusted-hosts`" in told


@pytest.mark.parametrize("trusted", ["db.example.com", "DB.example.com", "*.example.com"])
def test_a_host_that_is_named_is_trusted(trusted):
    assert distrust(["db.example.com"], "shop", "me", [trusted]) is None
    assert distrust(["other.org"], "shop", "me", [trusted]) is not None


def test_every_host_counts():
    assert "'db.example.com'" in distrust(["localhost", "db.example.com"], None, None)


@pytest.mark.parametrize("name", ["prod", "shop_prod", "shop-production", "PROD2", "live.shop", "shop prd"])
def test_databases_and_roles_with_the_word_are_not_trusted(name):
    assert distrust(["localhost"], name, "me") == (
        f"the database {name!r} has the word {distrust_word(name)!r} in its name; name 'postgres' instead"
    )
    assert "the role" in distrust(["localhost"], "shop", name)
    assert distrust([], name, "me", ["localhost"]) is not None  # trust in a host does not cover it


def distrust_word(name):
    return next(word for word in ("production", "prod", "prd", "live") if word in name.lower())


@pytest.mark.parametrize("name", ["products", "reproduction", "delivery", "alive", "shop", "postgres", None, ""])
def test_other_names_are(name):
    assert distrust(["localhost"], name, name) is None
