"""Compares what we propose with what peers do, at no more than the real size of theirs."""

from __future__ import annotations

from collections.abc import Sequence

from advice_peers import MB
from advice_points import Bench, Point, of_ours
from plans_tables import print_table

from pytest_dbguard.planning.lab.base import Lab

TRIES = 4
"""Smaller budgets that are tried for a set to be no larger than a peer's."""


def compare(bench: Bench, lab: Lab, ours: Sequence[Point], peers: Sequence[Point], *, losses: bool) -> None:
    """Print for each peer's set that no other peer's beats what ours leaves at no more than its size."""
    rows = []
    known = list(ours)
    for point in peers:
        mine = of_size(bench, lab, point.worth.size_bytes)
        known.append(mine)
        fits = [each for each in known if each.worth.size_bytes <= point.worth.size_bytes]
        best = min(fits, key=lambda each: each.worth.cost, default=mine)
        gap = (best.worth.cost - point.worth.cost) / bench.before.cost
        shares = (point.worth.cost / bench.before.cost, best.worth.cost / bench.before.cost)
        sizes = (f"{point.worth.size_bytes / MB:.2f}", f"{best.worth.size_bytes / MB:.2f}")
        rows.append((point.who, sizes[0], f"{shares[0]:.2%}", sizes[1], f"{shares[1]:.2%}", f"{gap:+.2%}"))
        if losses:
            tell_losses(bench, point, mine)
    print_table("At the sizes of the best peers", ("peer", "MB", "left", "our MB", "our left", "gap"), rows)


def of_size(bench: Bench, lab: Lab, size_bytes: int) -> Point:
    """Return what dbguard proposes for a real size: where indexes turn out larger than the lab said, for less."""
    budget = float(size_bytes)
    for _ in range(TRIES):
        mine = of_ours(bench, lab, budget)
        if mine.worth.size_bytes <= size_bytes:
            break
        budget *= 0.995 * size_bytes / mine.worth.size_bytes
    return mine


def front(points: Sequence[Point]) -> list[Point]:
    """Return the sets that none beats in both size and cost, by size."""
    ordered = sorted(points, key=lambda each: (each.worth.size_bytes, each.worth.cost))
    kept: list[Point] = []
    for point in ordered:
        if point.made and (not kept or point.worth.cost < kept[-1].worth.cost):
            kept.append(point)
    return kept


def tell_losses(bench: Bench, peer: Point, mine: Point) -> None:
    """Print the statements that a peer's set serves better, then what each has that the other has not."""
    for question in bench.questions:
        lost = question.weight * (mine.worth.costs[question.number] - peer.worth.costs[question.number])
        if lost > 0.001 * bench.before.cost:
            print(f"  {peer.who}: {lost / bench.before.cost:.2%} in number {question.number}")
    for who, one, other in ((peer.who, peer, mine), ("ours", mine, peer)):
        texts = sorted({each.what for each in one.made} - {each.what for each in other.made})
        print(f"  only {who}: {'; '.join(text.removeprefix('ON ') for text in texts)}")
