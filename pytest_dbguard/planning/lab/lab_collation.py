"""How the database of a lab is told to sort text: as production does, or at least as unlike bytes as production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_dbguard.schema.catalog import Collation
from pytest_dbguard.schema.quoting import literal

if TYPE_CHECKING:
    from psycopg import Connection

_ICU_SINCE: Final = 15
_BUILTIN_SINCE: Final = 17
_ICU_RENAMED: Final = 17
_LIBC: Final = """
    SELECT collcollate FROM pg_catalog.pg_collation
    WHERE collprovider = 'c' AND collcollate NOT IN ('C', 'POSIX', '')
    ORDER BY collcollate <> %(asked)s, collcollate !~* '^c\\.', collcollate
"""
Clause = tuple[str, str]
"""What is written behind CREATE DATABASE, and what it lacks of what was asked for; "" where nothing."""


def collation_clauses(connection: Connection, collation: Collation, major: int) -> list[Clause]:
    """Return the ways to make a database of this collation, the best first; the last one works everywhere.

    Whether text sorts by bytes decides whether a plain index serves `LIKE 'abc%'`, so that this is kept whatever else
    a server lacks. `C.UTF-8` of the C library is not C to the planner, and glibc always has it.
    """
    # a server of another encoding has no locale of its own that goes with UTF-8
    by_bytes = (_libc("C", major), "text sorts by bytes in the lab: this server has no other collation for UTF-8")
    if not collation.provider and not collation.locale:
        return [("", ""), by_bytes]
    if collation.is_c:
        return [_by_bytes(collation, major)]
    asked = f"{collation.provider or 'libc'} collation {collation.locale}"
    ways: list[Clause] = []
    if collation.provider == "icu" and major >= _ICU_SINCE:
        ways.append((_icu(collation.locale, major), ""))
    libc = [row[0] for row in connection.execute(_LIBC, {"asked": collation.locale})]
    for locale in libc[:1]:
        same = collation.provider in ("libc", "") and _plain(locale) == _plain(collation.locale)
        ways.append((_libc(locale, major), "" if same else f"{asked}: not on this server, {locale} stands in for it"))
    if major >= _ICU_SINCE:
        ways.append((_icu("und", major), f"{asked}: not on this server, ICU's root collation stands in for it"))
    return [*ways, ("", f"{asked}: not on this server, which sorts its own way"), by_bytes]


def _by_bytes(collation: Collation, major: int) -> Clause:
    if collation.provider == "builtin" and major >= _BUILTIN_SINCE:
        return f" LOCALE_PROVIDER builtin BUILTIN_LOCALE {literal(collation.locale)}", ""
    return _libc("C", major), ""


def _icu(locale: str, major: int) -> str:
    name = "ICU_LOCALE" if major < _ICU_RENAMED else "LOCALE"
    libc = " LC_COLLATE 'C' LC_CTYPE 'C'"
    return f" LOCALE_PROVIDER icu {name} {literal(locale)}{libc}"


def _libc(locale: str, major: int) -> str:
    provider = " LOCALE_PROVIDER libc" if major >= _ICU_SINCE else ""
    return f"{provider} LC_COLLATE {literal(locale)} LC_CTYPE {literal(locale)}"


def _plain(locale: str) -> str:
    """Return a locale's name as all spell it: `en_US.UTF-8` and `en_US.utf8` are one."""
    return locale.lower().replace("-", "")
