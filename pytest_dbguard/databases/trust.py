"""Tells which database servers look like somebody's production: no test run makes databases there by accident."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final

_WORDS: Final = frozenset({"prod", "production", "prd", "live"})
_LOCAL_SUFFIXES: Final = (".local", ".internal", ".test", ".localhost")
_MANAGED: Final = MappingProxyType(
    {
        "rds.amazonaws.com": "Amazon RDS",
        "rds.amazonaws.com.cn": "Amazon RDS",
        "dsql.amazonaws.com": "Amazon Aurora DSQL",
        "database.azure.com": "Azure Database",
        "database.windows.net": "Azure SQL",
        "postgres.cosmos.azure.com": "Azure Cosmos DB",
        "neon.tech": "Neon",
        "supabase.co": "Supabase",
        "supabase.com": "Supabase",
        "render.com": "Render",
        "railway.app": "Railway",
        "rlwy.net": "Railway",
        "aivencloud.com": "Aiven",
        "ondigitalocean.com": "DigitalOcean",
        "timescale.com": "Timescale",
        "crunchybridge.com": "Crunchy Bridge",
        "cockroachlabs.cloud": "CockroachDB Cloud",
        "elephantsql.com": "ElephantSQL",
        "fly.dev": "Fly.io",
        "heroku.com": "Heroku",
        "prisma.io": "Prisma Postgres",
        "xata.sh": "Xata",
        "tembo.io": "Tembo",
    }
)


def distrust(hosts: Sequence[str], database: str | None, user: str | None, trusted: Sequence[str] = ()) -> str | None:
    """Return why a server looks like production; None when it does not.

    Args:
        hosts: Names, addresses or directories of sockets; none where the driver connects to this machine.
        database: Name of the database.
        user: Name of the role.
        trusted: Hosts that may be used whatever they look like; "*.example.com" for all below one.
    """
    reasons = [*_of_hosts(hosts, trusted), *_of_names(database, user)]
    return reasons[0] if reasons else None


def _of_hosts(hosts: Sequence[str], trusted: Sequence[str]) -> Iterator[str]:
    for host in map(_plain, hosts):
        if not any(fnmatchcase(host, _plain(pattern)) for pattern in trusted):
            reason = _of_host(host)
            if reason is not None:
                yield f"{reason}; if it is for tests, add {host!r} to `trusted-hosts`"


def _of_host(host: str) -> str | None:
    if host.startswith(("/", "@")):  # the socket of a server on this machine
        return None
    word = _word(host)
    if word is not None:
        return f"the host {host!r} has the word {word!r} in its name"
    for suffix, name in _MANAGED.items():
        if host == suffix or host.endswith("." + suffix):
            return f"the host {host!r} is one of {name}"
    return None if _is_near(host) else f"the host {host!r} is on the public network"


def _of_names(database: str | None, user: str | None) -> Iterator[str]:
    for what, name, instead in (("database", database, "name 'postgres'"), ("role", user, "use a role for tests")):
        word = _word(name or "")
        if word is not None:
            yield f"the {what} {name!r} has the word {word!r} in its name; {instead} instead"


def _is_near(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_SUFFIXES)
    return address.is_private or address.is_loopback or address.is_link_local


def _word(name: str) -> str | None:
    """Return the word of production in a name; "prod2" is one, "product" and "olive" are none."""
    parts = (part.rstrip("0123456789") for part in re.split(r"[^a-z0-9]+", name.lower()))
    return next((part for part in parts if part in _WORDS), None)


def _plain(host: str) -> str:
    return host.strip().strip("[]").lower().rstrip(".")
