"""Makes the pages of a B-tree that is as high as one likes and holds nothing: what the planner reads of an index."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

from pytest_dbguard.planning.lab.page_checksum import with_checksum

# The layout of pages (src/include/storage/bufpage.h) and of B-trees of version 4 (src/include/access/nbtree.h), which
# PostgreSQL writes since 12, on machines that store the low byte first.
_HEADER: Final = struct.Struct("<QHHHHHHI")
_META: Final = struct.Struct("<7I4xd?7x")
_SPECIAL: Final = struct.Struct("<IIIHH")
_LINE_POINTER: Final = struct.Struct("<I")
_TUPLE: Final = struct.Struct("<HHHH")
_LAYOUT_VERSION: Final = 4
_MAGIC: Final = 0x053162
_TREE_VERSION: Final = 4
_LEAF, _ROOT, _IS_META = 1, 2, 8
_IS_PIVOT: Final = 0x2000  # in the tuple's size: it has no key, and stands for all that is smaller
_NORMAL: Final = 1 << 15  # in a line pointer: the tuple is there
_NO_COUNT: Final = -1.0


@lru_cache(maxsize=32)
def btree_pages(height: int, page_size: int = 8192, *, has_checksums: bool = False) -> bytes:
    """Return the first pages of an index whose root stands `height` levels above its leaves.

    Block 0 describes the tree, block 1 is the root, each page points to the one after it, and the last is an empty
    leaf: whoever descends finds nothing. `bt_index_check` of amcheck has no objections.
    """
    blocks = [_meta_page(height, page_size)]
    blocks += [_tree_page(block, height, page_size) for block in range(1, height + 2)]
    if has_checksums:
        blocks = [with_checksum(page, number) for number, page in enumerate(blocks)]
    return b"".join(blocks)


def _meta_page(height: int, page_size: int) -> bytes:
    content = _META.pack(_MAGIC, _TREE_VERSION, 1, height, 1, height, 0, _NO_COUNT, False)
    return _page(page_size, content, b"", _special(0, _IS_META))


def _tree_page(block: int, height: int, page_size: int) -> bytes:
    level = height + 1 - block
    flags = (_ROOT if block == 1 else 0) | (_LEAF if level == 0 else 0)
    if level == 0:
        return _page(page_size, b"", b"", _special(level, flags))
    pivot = _TUPLE.pack(0, block + 1, 0, _TUPLE.size | _IS_PIVOT)
    place = page_size - _SPECIAL.size - len(pivot)
    return _page(page_size, _LINE_POINTER.pack(len(pivot) << 17 | _NORMAL | place), pivot, _special(level, flags))


def _special(level: int, flags: int) -> bytes:
    return _SPECIAL.pack(0, 0, level, flags, 0)


def _page(page_size: int, front: bytes, back: bytes, special: bytes) -> bytes:
    lower, upper = _HEADER.size + len(front), page_size - len(special) - len(back)
    header = _HEADER.pack(0, 0, 0, lower, upper, upper + len(back), page_size | _LAYOUT_VERSION, 0)
    return header + front + bytes(upper - lower) + back + special
