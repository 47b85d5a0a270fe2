"""Names of tests as they may stand in a file: without their parameters, which may hold values."""

from __future__ import annotations


def without_parameters(node_id: str) -> str:
    """Return a test's node id without `[...]`: parameters may hold values that do not belong into a file."""
    file, separator, test = node_id.partition("::")
    return file + separator + test.partition("[")[0]
