"""Computes the checksum that PostgreSQL expects in a page, where its data directory has checksums."""

from __future__ import annotations

import struct
from typing import Final

# Where each of the 32 sums starts, and what each step multiplies by: part of the format of the data directory, see
# src/include/storage/checksum_impl.h of PostgreSQL. The same in every version since 9.3.
_STARTS: Final = (
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756,
)  # fmt: skip
_PRIME: Final = 16777619
_MASK: Final = 0xFFFFFFFF
_FIELD: Final = struct.Struct("<H")
_AT: Final = 8


def with_checksum(page: bytes, block: int) -> bytes:
    """Return a page with the checksum in its place; `block` is its number within the whole relation."""
    plain = page[:_AT] + b"\0\0" + page[_AT + 2 :]
    total = 0
    for column, start in enumerate(_STARTS):
        total ^= _sum(start, (*_column(plain, column), 0, 0))
    return plain[:_AT] + _FIELD.pack((total ^ block) % 65535 + 1) + plain[_AT + 2 :]


def _column(page: bytes, column: int) -> tuple[int, ...]:
    """Return every 32nd number of the page, from that one on."""
    return struct.unpack(f"<{len(page) // 4}I", page)[column :: len(_STARTS)]


def _sum(start: int, numbers: tuple[int, ...]) -> int:
    total = start
    for number in numbers:
        mixed = total ^ number
        total = (mixed * _PRIME & _MASK) ^ (mixed >> 17)
    return total
