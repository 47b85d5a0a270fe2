"""What settings must keep to together: what production asks for, and what makes no sense."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pytest_dbguard.config.problems import Problem
from pytest_dbguard.databases.engines import Role
from pytest_dbguard.runtime.settings.database_url import DatabaseUrl
from pytest_dbguard.runtime.settings.fields import Path, dotted
from pytest_dbguard.runtime.settings.gathering import Gathered
from pytest_dbguard.runtime.settings.layers import Origin, is_said
from pytest_dbguard.runtime.settings.sections import SYSTEM_ROOTS, TLS_MODES, PoolSettings
from pytest_dbguard.runtime.settings.tables import PRIMARY, SHORT
from pytest_dbguard.runtime.settings.tls import is_encrypted, is_verified, mode_in, said_in
from pytest_dbguard.runtime.settings.variable_names import FROM_FILE, variable_name

if TYPE_CHECKING:
    from pytest_dbguard.runtime.settings.model import DatabaseSettings

ROLES: Final[tuple[Role, ...]] = ("primary", "readonly", "analytics")


@dataclass(frozen=True, slots=True)
class _Wrong:
    path: Path
    message: str
    hint: str


def unmet(settings: DatabaseSettings, found: Gathered) -> Iterator[Problem]:
    """Yield what is not met; nothing about settings that were wrong by themselves."""
    for check in (_primary, _replicas, _tls, _tls_files, _pools, _strictness):
        for wrong in check(settings):
            if not any(_is_part(wrong.path, path) for path in found.wrong):
                yield _told(wrong, settings, found)
    if settings.security.secrets == "environment-or-files":
        for layer in found.in_file:
            # also what a variable overrides is committed
            for path in _secrets(settings.unchecked(layer.values)):
                yield _in_file(path, layer.origin(path) or Origin("", dotted(path)))


def _told(wrong: _Wrong, settings: DatabaseSettings, found: Gathered) -> Problem:
    origin = found.layer.origin(wrong.path) or Origin(f"profile {settings.profile}", "")
    key = origin.key or ("" if "variable" in origin.place else dotted(wrong.path))
    return Problem(origin.place, key, wrong.message, wrong.hint)


def _in_file(path: Path, origin: Origin) -> Problem:
    variable = variable_name(SHORT if path == PRIMARY else path)
    hint = f"take it out of the file, change it, and set {variable} or {variable}{FROM_FILE}"
    return Problem(origin.place, origin.key, "a password in a file that is committed with the code", hint)


def _primary(settings: DatabaseSettings) -> Iterator[_Wrong]:
    if settings.url is None and settings.profile == "production":
        names = f"{variable_name(SHORT)} or {variable_name(SHORT)}{FROM_FILE}"
        yield _Wrong(PRIMARY, "not set", f"set {names}")
    for role in ROLES:
        of_role = getattr(settings.roles, role)
        if of_role.url is not None and of_role.url.reveal().password is not None and of_role.password is not None:
            yield _Wrong(("roles", role, "password"), "the URL has a password already", "keep one of the two")


def _replicas(settings: DatabaseSettings) -> Iterator[_Wrong]:
    for role in ROLES:
        of_role, path = getattr(settings.roles, role), ("roles", role, "replicas")
        if not of_role.replicas:
            continue
        if role != "readonly":
            yield _Wrong(path, "only readonly has replicas", f"give roles.{role}.url, or move them to roles.readonly")
        elif of_role.url is not None:
            yield _Wrong(path, "given beside roles.readonly.url", "keep one of the two")
        elif not any(replica.weight for replica in of_role.replicas):
            yield _Wrong(path, "no replica has a weight above 0", "give one of them weight 1, or leave them out")


def _tls(settings: DatabaseSettings) -> Iterator[_Wrong]:
    weak: set[Path] = set()
    for path, url in _urls(settings):
        mode, said = mode_in(url, settings.tls), said_in(url.reveal())
        if mode is None:
            yield _Wrong(path, "what the URL says of TLS is no mode of it", f"write sslmode={'|'.join(TLS_MODES)}")
        elif settings.security.require_tls and url.crosses_network and not is_encrypted(mode):
            weak.add(path if said is not None else ("tls", "mode"))
    for at in sorted(weak, key=str):
        hint = "say require, or verify-full, which also knows the server; where a tunnel encrypts: security.require_tls"
        yield _Wrong(at, "the connection may go over the network unencrypted", f"{hint} = false")


def _tls_files(settings: DatabaseSettings) -> Iterator[_Wrong]:
    tls = settings.tls
    for name in ("root_cert", "cert", "key"):
        path = getattr(tls, name)
        if path is not None and not path.is_file() and (name != "root_cert" or str(path) != SYSTEM_ROOTS):
            yield _Wrong(("tls", name), f"there is no file {str(path)!r}", "check its path and permissions")
    if (tls.cert is None) != (tls.key is None):
        have, lack = ("cert", "key") if tls.key is None else ("key", "cert")
        yield _Wrong(("tls", have), f"given without tls.{lack}", "a client's certificate needs both")
    if str(tls.root_cert) == SYSTEM_ROOTS and tls.mode != "verify-full":
        yield _Wrong(("tls", "root_cert"), "'system' needs the mode verify-full", "anybody can get such a certificate")
    if is_verified(tls.mode) and tls.root_cert is None:
        hint = "set tls.root_cert to the file of the authority, or to 'system'"
        yield _Wrong(("tls", "mode"), f"{tls.mode} needs to know whom to trust", hint)


def _pools(settings: DatabaseSettings) -> Iterator[_Wrong]:
    common: Path = ("pool",)
    pools: list[tuple[Path, PoolSettings, int]] = [
        (common, settings.pool, settings.pool.size),
        *((("roles", role, "pool"), getattr(settings.roles, role).pool, settings.pool_of(role).size) for role in ROLES),
    ]
    for place, pool, size in pools:
        path = (*place, "warm_up")
        # what a profile says, or the common settings to a role, gives way to the size
        if pool.warm_up > size and is_said(settings.source(path)):
            yield _Wrong(path, f"{pool.warm_up} is more than the pool's size, {size}", "open no more than stay open")


def _strictness(settings: DatabaseSettings) -> Iterator[_Wrong]:
    if settings.profile == "production" and settings.security.secrets == "anywhere":
        hint = "leave it out; passwords come from variables, or from files that *_FILE variables name"
        yield _Wrong(("security", "secrets"), "production takes no password from TOML", hint)


def _urls(settings: DatabaseSettings) -> Iterator[tuple[Path, DatabaseUrl]]:
    for role in ROLES:
        of_role = getattr(settings.roles, role)
        if of_role.url is not None:
            yield ("roles", role, "url"), of_role.url
        for number, replica in enumerate(of_role.replicas):
            yield ("roles", role, "replicas", number, "url"), replica.url


def _secrets(settings: DatabaseSettings) -> Iterator[Path]:
    """Yield where something secret stands."""
    yield from (path for path, url in _urls(settings) if url.holds_secret)
    yield from (("roles", role, "password") for role in ROLES if getattr(settings.roles, role).password)
    if settings.password:
        yield ("password",)


def _is_part(path: Path, of: Path) -> bool:
    shorter = min(len(path), len(of))
    return path[:shorter] == of[:shorter]
