"""How libpq is told where to connect."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import URL

DRIVER = "postgresql+psycopg"


def connection_string(url: URL) -> str:
    """Return what libpq understands of a URL, with its password, as "key='value'" pairs.

    Not as a URI: SQLAlchemy's own are not quoted as libpq wants them, which then tells the password in its error.
    """
    hosts, ports = _places(url)
    pairs: dict[str, str | None] = {
        "host": ",".join(hosts),
        "port": ",".join(ports),
        "dbname": url.database,
        "user": url.username,
        "password": url.password,
    }
    others = {key: value for key, value in url.query.items() if key not in ("host", "port")}
    pairs |= {key: value if isinstance(value, str) else ",".join(value) for key, value in others.items()}
    return " ".join(f"{key}={_quoted(str(value))}" for key, value in pairs.items() if value)


def hosts_of(url: URL) -> list[str]:
    """Return all hosts, addresses and directories of sockets that a URL names, in its place or in its query."""
    addresses = url.query.get("hostaddr", "")
    return [host for host in (*_places(url)[0], *_parts(addresses)) if host]


def _places(url: URL) -> tuple[list[str], list[str]]:
    """Return hosts and ports; in a query there may be several, such as "host=one:5432&host=two:5433"."""
    named = _parts(url.query.get("host", "")) or [url.host or ""]
    split = [_split(host) for host in named]
    given = _parts(url.query.get("port", "")) or ([str(url.port)] if url.port else [])
    own = [port for _, port in split]
    return [host for host, _ in split], own if any(own) else given


def _parts(value: str | tuple[str, ...]) -> list[str]:
    values = (value,) if isinstance(value, str) else value
    return [part.strip() for entry in values for part in entry.split(",") if part.strip()]


def _split(host: str) -> tuple[str, str]:
    """Return host and port of "host:port"; a directory or an address such as ::1 has none."""
    name, colon, port = host.rpartition(":")
    has_port = colon and port.isdecimal() and not host.startswith("/") and (":" not in name or name.endswith("]"))
    return (name.strip("[]"), port) if has_port else (host.strip("[]"), "")


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def missing_driver(extra: str) -> str | None:
    """Return why psycopg cannot be used, with the extra that brings it; None when it can.

    Importing it takes a fifth of a second, so it is imported only where it may lack its library.
    """
    install = f"run: pip install 'pytest-dbguard[{extra}]'"
    if find_spec("psycopg") is None:
        return f"the driver 'psycopg' is not installed; {install}"
    if find_spec("psycopg_binary") or find_spec("psycopg_c"):
        return None
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        return f"the driver 'psycopg' cannot be imported ({error}); {install}"
    return None
