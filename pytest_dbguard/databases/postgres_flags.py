"""The settings of servers that run for tests only: nothing has to survive a crash, all is alike on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # durability: a crashed test server is thrown away
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": "128MB",
        "checkpoint_timeout": "1h",
        "wal_recycle": "off",  # files of the log that wait for use again would only fill memory and warm copies
        "wal_init_zero": "off",
        # room for many workers with many engines, and for schemas with thousands of tables in one transaction
        "shared_buffers": "32MB",
        "max_connections": "250",
        "max_locks_per_transaction": "256",
        # What parallel queries share lies with the data. In /dev/shm, of which containers have 64 MB by default, they
        # would fail with "could not resize shared memory segment", and what killed servers left would stay for good.
        "dynamic_shared_memory_type": "mmap",
        # the same in every run: plans, the order of rows, and nobody who analyses or cleans in between
        "autovacuum": "off",
        "synchronize_seqscans": "off",
        "jit": "off",
        "timezone": "UTC",
        "bgwriter_lru_maxpages": "0",
        "log_min_messages": "log",  # no ERROR lines: they would hold the statements of the tests
        "log_checkpoints": "off",
    }
)
_SINCE: Final = {
    18: {"io_method": "sync"},  # no I/O workers: three processes less, and data in memory needs none
}


def server_settings(major: int) -> dict[str, str]:
    """Return the settings for a major version; 0 where it is not known."""
    settings = dict(SETTINGS)
    for since, more in _SINCE.items():
        if major >= since:
            settings |= more
    return settings


def initdb_arguments(major: int, locale: str) -> list[str]:
    """Return how a data directory is made that a socket in a private directory leads to."""
    arguments = ["--no-sync", "--auth=trust", "--encoding=UTF8", f"--locale={locale}", *layout_arguments(major)]
    return arguments if major < 14 else [*arguments, "--no-instructions"]


def layout_arguments(major: int) -> list[str]:
    """Return what decides how data lie and sort; the major version is 0 where it is not known."""
    # 1 MB files of the log instead of 16: less to make now, to pack and to unpack
    arguments = ["--wal-segsize=1"]
    if major >= 17:  # sorts alike on every machine, whatever its C library and the locales that are installed
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if major >= 18:  # the default there; hint bits would be logged for them
        arguments.append("--no-data-checksums")
    return arguments
