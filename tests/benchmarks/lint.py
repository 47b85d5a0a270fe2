"""Measures lint: what each rule gets right, how fast statements are judged, how long a hook takes.

python tests/benchmarks/lint.py [--only precision|speed|hook|rivals] [--misses] [--shapes 10000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from lint_hook import HEAD as HOOK_HEAD
from lint_hook import hook
from lint_rivals import HEAD as RIVALS_HEAD
from lint_rivals import compared, rivals
from lint_speed import HEAD as SPEED_HEAD
from lint_speed import speed
from plans_tables import print_table

from pytest_dbguard.rules.base import Stage
from pytest_dbguard.rules.registry import find_rule
from tests.planning.corpus.verdicts import Score
from tests.rules.lint_corpus.labels import Label, judged, labels, scores
from tests.rules.lint_corpus.sources import RULE, score_of_sources

HEAD = ("rule (* in preview)", "right", "wrong", "missing", "precision", "recall")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=tuple(WAYS))
    parser.add_argument("--misses", action="store_true", help="name what is wrong and what is missing")
    parser.add_argument("--shapes", type=int, default=10_000, help="statements whose speed is measured")
    parser.add_argument("--rounds", type=int, default=5, help="starts of each kind")
    parser.add_argument("--rivals", type=Path, default=Path(sys.prefix), help="environment of other linters")
    options = parser.parse_args()
    for way, measure in WAYS.items():
        if options.only in (None, way):
            measure(options)


def precision(options: argparse.Namespace) -> None:
    """Print a table of rules for each style, and one of all."""
    found = tuple(labels())
    start = time.perf_counter()
    said = judged(found)
    elapsed_s = time.perf_counter() - start
    innocent = sum(not label.expect for label in found)
    print(f"{len(found)} statements, {innocent} of them innocent, judged without a planner in {elapsed_s:.1f} s")
    for style in dict.fromkeys(label.style for label in found):
        of_style = {label: codes for label, codes in said.items() if label.style == style}
        print_table(f"{style}: {len(of_style)} statements", HEAD, rows(scores(of_style)))
    whole = scores(said)
    with tempfile.TemporaryDirectory() as directory:
        whole[RULE] = score_of_sources(Path(directory).resolve())
    print_table("all of them, and Python sources", HEAD, rows(whole))
    if options.misses:
        show_misses(whole)


def rows(found: Mapping[str, Score]) -> list[tuple[str, ...]]:
    return [
        (
            f"{code} {find_rule(code).name}{'*' * (find_rule(code).stage is Stage.PREVIEW)}",
            str(score.right),
            str(len(score.wrong)),
            str(len(score.missing)),
            f"{score.precision:.1%}",
            f"{score.recall:.1%}",
        )
        for code, score in found.items()
    ]


def show_misses(found: Mapping[str, Score]) -> None:
    for code, score in found.items():
        for word, texts in (("wrong", score.wrong), ("missing", score.missing)):
            print("".join(f"  {code} {word}: {text}\n" for text in texts), end="")


def speeds(options: argparse.Namespace) -> None:
    """Print how fast statements are judged."""
    for title, found in speed(options.shapes):
        print_table(title, SPEED_HEAD, found)


def hooks(options: argparse.Namespace) -> None:
    """Print how long a process takes."""
    print_table("78 files, 18 of them with SQL", HOOK_HEAD, hook(options.rounds))


def others(options: argparse.Namespace) -> None:
    """Print what other linters say of the statements that are written by hand."""
    found: Iterable[Label] = tuple(labels())
    there = rivals(options.rivals)
    if not there:
        print(f"\nno other linter in {options.rivals}: pip install sqlfluff sqruff")
    for rival in there:
        print_table(f"{rival.name} on the statements written by hand", RIVALS_HEAD, compared(rival, found))


WAYS = {"precision": precision, "speed": speeds, "hook": hooks, "rivals": others}

if __name__ == "__main__":
    main()
