"""A database's URL that may hold a password, and shows it nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, SecretStr
from pydantic_core import PydanticCustomError, core_schema
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from pytest_dbguard.config.redact import redact_url
from pytest_dbguard.core.errors import nearest
from pytest_dbguard.databases.connection_string import hosts_of

DRIVERS: Final[Mapping[str, tuple[str, ...]]] = {
    "postgresql": (
        "postgresql",
        "postgresql+psycopg",
        "postgresql+psycopg_async",
        "postgresql+psycopg2",
        "postgresql+asyncpg",
    ),
    "sqlite": ("sqlite", "sqlite+pysqlite", "sqlite+aiosqlite"),
}
"""What a URL may begin with, by the kind of database."""

_KNOWN: Final = tuple(name for names in DRIVERS.values() for name in names)
# Heroku and others still hand out "postgres://", which SQLAlchemy no longer reads.
_OLD_NAME: Final = "postgres:"
_SECRET_KEYS: Final = ("password", "passwd", "sslpassword", "token", "secret")


class DatabaseUrl:
    """A URL of SQLAlchemy. Only `reveal` gives the password; text, dumps and errors hide it, and pickle refuses."""

    __slots__ = ("_url",)

    def __init__(self, url: str | URL | SecretStr | DatabaseUrl) -> None:
        """Read a URL.

        Raises:
            ValueError: When it is none, or of a database that the runtime does not know; the text does not quote it.
        """
        self._url = _read(url)

    def reveal(self) -> URL:
        """Return the URL with its password."""
        return self._url

    @property
    def shown(self) -> str:
        """The URL as it may be printed."""
        return redact_url(self._url.render_as_string(hide_password=False))

    @property
    def backend(self) -> str:
        """Kind of the database: "postgresql" or "sqlite"."""
        return self._url.get_backend_name()

    @property
    def holds_secret(self) -> bool:
        """Whether a password or the like stands in it."""
        return self._url.password is not None or any(key in self._url.query for key in _SECRET_KEYS)

    @property
    def takes_password(self) -> bool:
        """Whether a password that stands apart from the URL belongs into it."""
        return self.backend != "sqlite" and self._url.password is None

    @property
    def is_memory(self) -> bool:
        """Whether it is a SQLite database in memory that has no name."""
        return self.backend == "sqlite" and self._url.database in (None, "", ":memory:")

    @property
    def vanishes(self) -> bool:
        """Whether its data are gone with the last connection."""
        query = self._url.query
        return self.is_memory or query.get("vfs") == "memdb" or query.get("mode") == "memory"

    @property
    def crosses_network(self) -> bool:
        """Whether the connection leaves this machine's files and sockets, so that TLS would protect it."""
        # without a host it is the local socket; where PGHOST says otherwise, libpq still keeps to the mode of TLS
        return self.backend != "sqlite" and not all(host.startswith(("/", "@")) for host in hosts_of(self._url))

    def with_password(self, password: str) -> DatabaseUrl:
        """Return the same URL with another password."""
        return DatabaseUrl(self._url.set(password=password))

    def __repr__(self) -> str:
        return f"DatabaseUrl({self.shown!r})"

    def __str__(self) -> str:
        return self.shown

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseUrl) and other._url == self._url

    def __hash__(self) -> int:
        return hash(self._url)

    def __copy__(self) -> DatabaseUrl:
        return self

    def __deepcopy__(self, _memo: object) -> DatabaseUrl:
        return self

    def __reduce__(self) -> NoReturn:
        raise not_pickled()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        shown = core_schema.plain_serializer_function_ser_schema(lambda url: url.shown, when_used="always")
        return core_schema.no_info_plain_validator_function(_validated, serialization=shown)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: Any, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "format": "password", "writeOnly": True}


def not_pickled() -> TypeError:
    """Return the error of who pickles what holds a password: it would lie in a queue or a cache for all to read."""
    return TypeError(
        "settings that may hold a password are not pickled; make them anew in the other process, by `load`"
    )


def _validated(value: Any) -> DatabaseUrl:
    """Return the value as a URL; the error that pydantic keeps is told without the value."""
    try:
        return value if isinstance(value, DatabaseUrl) else DatabaseUrl(value)
    except ValueError as error:
        message = str(error)
    raise PydanticCustomError("database_url", "{message}", {"message": message})


def _read(given: object) -> URL:
    if isinstance(given, SecretStr):
        given = given.get_secret_value()
    if isinstance(given, DatabaseUrl):
        return given._url
    if isinstance(given, URL):
        return _known(given)
    if not isinstance(given, str):
        raise ValueError(f"expected a URL, not {type(given).__name__}")
    text = given.strip()
    try:
        url = make_url(text.replace("postgres:", "postgresql:", 1) if text.startswith(_OLD_NAME) else text)
    except (ArgumentError, ValueError):
        url = None
    if url is None:
        # outside of the handler: what is raised there would hold the text as its context
        raise ValueError("cannot be read as a URL, such as postgresql://user:password@host:5432/name")
    return _known(url)


def _known(url: URL) -> URL:
    if url.drivername in _KNOWN:
        return url
    match = nearest(url.drivername, _KNOWN)
    hint = f"did you mean {match!r}?" if match else f"known: {', '.join(_KNOWN)}"
    raise ValueError(f"the runtime does not know {url.drivername!r}; {hint}")
