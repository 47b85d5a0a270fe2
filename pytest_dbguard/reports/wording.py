"""How numbers, times and places are said in reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pytest_dbguard.core.findings import Finding, Severity, Site


def number(value: int) -> str:
    """Return a number with its thousands apart: `1 893`."""
    return f"{value:,}".replace(",", " ")


def counted(value: int, singular: str, plural: str | None = None) -> str:
    """Return `1 query`, `1 893 queries`."""
    return f"{number(value)} {singular if value == 1 else plural or singular + 's'}"


def queries(value: int) -> str:
    """Return `1 query`, `40 queries`."""
    return counted(value, "query", "queries")


def duration(elapsed_ms: float) -> str:
    """Return `0.4 ms`, `61 ms`, `4.2 s`, `3 min 20 s`."""
    if elapsed_ms < 9.95:
        return f"{elapsed_ms:.1f} ms"
    if elapsed_ms < 999.5:
        return f"{elapsed_ms:.0f} ms"
    if elapsed_ms < 99_950:
        return f"{elapsed_ms / 1000:.1f} s"
    minutes, seconds = divmod(round(elapsed_ms / 1000), 60)
    return f"{number(minutes)} min {seconds} s"


def position(site: Site) -> str:
    """Return `shop/views.py:58:37`, the form that editors and terminals turn into links."""
    return site.label if site.column is None else f"{site.label}:{site.column}"


def position_in_function(site: Site, *, with_column: bool = False) -> str:
    """Return `shop/views.py:58 in list_orders`."""
    label = position(site) if with_column else site.label
    return f"{label} in {site.function}" if site.function else label


def severities(findings: Iterable[Finding]) -> str:
    """Return `2 errors, 1 warning`, worst first, what is zero left out."""
    counts = Counter(finding.severity for finding in findings)
    return ", ".join(counted(counts[severity], severity.value) for severity in Severity if counts[severity])
