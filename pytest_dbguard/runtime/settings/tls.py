"""What TLS means to each driver, and how strictly a URL or the settings ask for it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL

from pytest_dbguard.core.errors import ConfigError
from pytest_dbguard.runtime.settings.database_url import DatabaseUrl
from pytest_dbguard.runtime.settings.sections import SYSTEM_ROOTS, TLS_MODES, TlsMode, TlsSettings

MODE_KEYS: Final = ("sslmode", "ssl")
"""How URLs say it: libpq's word, and asyncpg's."""

_LIBPQ_FILES: Final[Mapping[str, str]] = {"root_cert": "sslrootcert", "cert": "sslcert", "key": "sslkey"}
_VERIFIED: Final = TLS_MODES.index("verify-ca")
_ENCRYPTED: Final = TLS_MODES.index("require")
# what asyncpg's `ssl` may say besides libpq's modes
_SWITCHES: Final[Mapping[str, TlsMode]] = {"true": "verify-full", "1": "verify-full", "on": "verify-full"}


def mode_in(url: DatabaseUrl, tls: TlsSettings) -> TlsMode | None:
    """Return the mode in force: the URL's own if it has one; None when nobody knows what it says."""
    said = said_in(url.reveal())
    if said is None:
        return tls.mode
    return next((mode for mode in TLS_MODES if mode == said.lower()), _SWITCHES.get(said.lower()))


def said_in(url: URL) -> str | None:
    """Return what the URL itself says of TLS."""
    for key in MODE_KEYS:
        value = url.query.get(key)
        if value is not None:
            return value if isinstance(value, str) else value[-1]
    return None


def is_encrypted(mode: TlsMode) -> bool:
    """Tell whether nothing goes over the network unencrypted."""
    return TLS_MODES.index(mode) >= _ENCRYPTED


def is_verified(mode: TlsMode) -> bool:
    """Tell whether the server's certificate is checked."""
    return TLS_MODES.index(mode) >= _VERIFIED


def for_libpq(tls: TlsSettings, mode: TlsMode) -> dict[str, Any]:
    """Return the arguments of psycopg and psycopg2."""
    files = {theirs: str(path) for ours, theirs in _LIBPQ_FILES.items() if (path := getattr(tls, ours)) is not None}
    return {"sslmode": mode, **files}


def for_asyncpg(tls: TlsSettings, mode: TlsMode) -> dict[str, Any]:
    """Return the arguments of asyncpg: a mode by its name, or a context where there are files to read.

    Raises:
        ConfigError: When a file cannot be used.
    """
    if not is_encrypted(mode) or (tls.root_cert is None and tls.cert is None):
        return {"ssl": mode}
    return {"ssl": _context(tls, mode)}


def _context(tls: TlsSettings, mode: TlsMode) -> ssl.SSLContext:
    """Return what libpq would do, in Python: with authorities to trust, also "require" checks the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = mode == "verify-full"
    if tls.root_cert is None:
        context.verify_mode = ssl.CERT_REQUIRED if is_verified(mode) else ssl.CERT_NONE
    elif str(tls.root_cert) == SYSTEM_ROOTS:
        context.load_default_certs()
    else:
        _load("tls.root_cert", tls.root_cert, context.load_verify_locations)
    if tls.cert is not None:
        _load("tls.cert", tls.cert, lambda path: context.load_cert_chain(path, tls.key))
    return context


def _load(key: str, path: Path, load: Any) -> None:
    try:
        load(str(path))
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or type(error).__name__
    else:
        return
    raise ConfigError(f"{key}: {str(path)!r} cannot be used: {why}", hint="name a readable file in PEM format")
