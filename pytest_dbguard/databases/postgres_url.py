"""A PostgreSQL server that is there already: our databases are made beside the one that its URL names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from pytest_dbguard.core.errors import DatabaseError
from pytest_dbguard.databases.base import StartOptions
from pytest_dbguard.databases.connection_string import DRIVER, connection_string, hosts_of, missing_driver
from pytest_dbguard.databases.joined_server import CONNECT_S, JoinedServer
from pytest_dbguard.databases.trust import distrust

if TYPE_CHECKING:
    from sqlalchemy import URL

_OLDEST: Final = 13
_RIGHTS: Final = """
    SELECT rolcreatedb OR rolsuper, quote_ident(rolname), pg_is_in_recovery()
    FROM pg_roles WHERE rolname = current_user
"""
_DEFAULTS: Final = StartOptions()


class UrlPostgresProvider:
    """Uses a server by its URL, whatever the driver in it; stops nothing and touches no database but its own."""

    kind: ClassVar[str] = "postgres-url"

    def available(self, options: StartOptions = _DEFAULTS) -> str | None:
        """Return what is missing: a URL, or the driver. Connects to nothing."""
        if not options.url:
            return "no URL is given; set --dbguard-url, DBGUARD_URL or `url` in [tool.dbguard]"
        return missing_driver("postgres")

    def launch(self, options: StartOptions = _DEFAULTS) -> GivenServer:
        """Read the URL and look whether it may be used; connects to nothing yet.

        Raises:
            DatabaseError: When it is no URL of PostgreSQL, or looks like production.
        """
        reason = self.available(options)
        if reason is not None:
            raise DatabaseError(f"the database {self.kind!r} cannot start: {reason}")
        url = read_url(options.url or "")
        _refuse(url, distrust(hosts_of(url), url.database, url.username, options.trusted_hosts))
        return GivenServer(self.kind, url, options.trusted_hosts)

    def join(self, url: URL) -> JoinedServer:
        """Return the server that another process of this run has looked at already."""
        return JoinedServer(self.kind, url, is_ours=False)


class GivenServer:
    """A server that was given and is not looked at yet."""

    def __init__(self, kind: str, url: URL, trusted_hosts: tuple[str, ...]) -> None:
        self._kind = kind
        self._url = url
        self._trusted_hosts = trusted_hosts

    def ready(self) -> JoinedServer:
        """Connect, and look whether databases can be made there.

        Raises:
            DatabaseError: When not, with what to do about it.
        """
        import psycopg

        url = for_libpq(self._url)
        try:
            with psycopg.connect(connection_string(url), connect_timeout=CONNECT_S, autocommit=True) as connection:
                self._inspect(connection)
        except psycopg.Error as error:
            raise DatabaseError(
                f"no connection to {_shown(url)}: {_told(error)}", hint=_next_step(url, error)
            ) from error
        return JoinedServer(self._kind, url, is_ours=False)

    def abandon(self) -> None:
        """Do nothing: the server is somebody else's."""

    def _inspect(self, connection: Any) -> None:
        info = connection.info
        # once more: environment variables and service files may lead elsewhere than the URL
        _refuse(self._url, distrust([info.host], info.dbname, info.user, self._trusted_hosts))
        if info.server_version < _OLDEST * 10_000:
            version = info.parameter_status("server_version")
            raise DatabaseError(
                f"{_shown(self._url)}: PostgreSQL {version} is older than {_OLDEST}", hint="use a newer server"
            )
        may_create, role, is_standby = connection.execute(_RIGHTS).fetchone()
        if is_standby:
            raise DatabaseError(
                f"{_shown(self._url)}: a standby server, which nothing can be written to", hint="use its primary"
            )
        if not may_create:
            raise DatabaseError(
                f"{_shown(self._url)}: the role {role} may not create databases",
                hint=f"let a superuser run: ALTER ROLE {role} CREATEDB",
            )


def read_url(text: str) -> URL:
    """Return the URL of a PostgreSQL server for our own driver.

    Raises:
        DatabaseError: When it is none. Its text is not told, for it may hold a password.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise DatabaseError(
            "the URL of the database server cannot be read",
            hint="write it as postgresql://user:password@host:5432/postgres",
        ) from error
    if url.drivername.partition("+")[0] not in ("postgresql", "postgres"):
        raise DatabaseError(
            f"{url.render_as_string(hide_password=True)!r} is no URL of PostgreSQL",
            hint="it begins with postgresql:// whatever the driver, such as postgresql+asyncpg://",
        )
    return url.set(drivername=DRIVER, database=url.database or "postgres")


def for_libpq(url: URL) -> URL:
    """Return the URL without what only other drivers understand; asyncpg's `ssl` is `sslmode` elsewhere."""
    import psycopg

    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    query = {key: value for key, value in url.query.items() if key in known}
    ssl = url.query.get("ssl")
    if isinstance(ssl, str) and "sslmode" not in query:
        query["sslmode"] = {"true": "require", "false": "disable"}.get(ssl.lower(), ssl)
    return url.set(query=query)


def _refuse(url: URL, reason: str | None) -> None:
    if reason is not None:
        what, _, step = reason.partition("; ")
        raise DatabaseError(f"{_shown(url)} looks like production: {what}", hint=step)


def _next_step(url: URL, error: Exception) -> str:
    if f'database "{url.database}" does not exist' in str(error):
        return "name a database that exists, such as 'postgres': ours are made beside it"
    return "look whether the server runs and the URL is right"


def _told(error: Exception) -> str:
    return " ".join(str(error).split())


def _shown(url: URL) -> str:
    return repr(url.render_as_string(hide_password=True))
