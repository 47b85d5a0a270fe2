"""What libpq is told."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL, make_url

from pytest_dbguard.databases.connection_string import connection_string, hosts_of


@pytest.mark.parametrize(
    "secret", ["open sesame", "it's", "back\\slash", "a:b@c/d?e#f%20", "ünï", "'", "\\'", "=x y=z"]
)
def test_whatever_is_in_a_password_arrives(secret):
    url = URL.create("postgresql+psycopg", secret, secret, "localhost", 5433, secret)
    assert conninfo_to_dict(connection_string(url)) == {
        "host": "localhost",
        "port": "5433",
        "dbname": secret,
        "user": secret,
        "password": secret,
    }


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql:///shop?host=/run/pg&port=5432", "/run/pg", "5432"),
        ("postgresql:///shop?host=one:1&host=two:2", "one,two", "1,2"),
        ("postgresql:///shop?host=one,two&port=1,2", "one,two", "1,2"),
        ("postgresql://[::1]:7/shop", "::1", "7"),
        ("postgresql:///shop?host=[::1]:7", "::1", "7"),
        ("postgresql:///shop?host=::1", "::1", None),
        ("postgresql://db/shop", "db", None),
        ("postgresql:///shop", None, None),
    ],
)
def test_hosts_and_ports(url, host, port):
    told = conninfo_to_dict(connection_string(make_url(url)))
    assert (told.get("host"), told.get("port")) == (host, port)
    assert ",".join(hosts_of(make_url(url))) == (host or "")


def test_other_keys_are_handed_on():
    url = make_url("postgresql://db/shop?sslmode=require&options=-c%20jit%3Doff")
    told = conninfo_to_dict(connection_string(url))
    assert (told["sslmode"], told["options"]) == ("require", "-c jit=off")


def test_an_address_beside_the_host_counts():
    assert hosts_of(make_url("postgresql://localhost/shop?hostaddr=8.8.8.8")) == ["localhost", "8.8.8.8"]


def test_a_server_takes_it(postgres):
    with psycopg.connect(connection_string(postgres.url)) as connection:
        assert connection.info.dbname == postgres.url.database
