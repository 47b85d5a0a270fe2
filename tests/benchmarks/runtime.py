"""Costs of the runtime's pieces, time to recover from faults, and throughput, beside plain SQLAlchemy with pre-ping."""

from __future__ import annotations

import argparse
import logging
import platform
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the rigs that faults are made with are the tests' own

import psycopg
import sqlalchemy
from runtime_costs import print_costs
from runtime_faults import print_faults
from runtime_load import print_load

from tests.runtime.faults.server import RestartableServer

FIGURES = {"costs": print_costs, "faults": print_faults, "load": print_load}


def main() -> None:
    """Measure and print, one figure after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, for a look")
    parser.add_argument("--only", nargs="*", default=list(FIGURES), choices=list(FIGURES), help="only these figures")
    options = parser.parse_args()
    logging.getLogger("pytest_dbguard").setLevel(logging.CRITICAL)  # faults are the subject here
    with RestartableServer() as server:
        print(f"Python {platform.python_version()}, SQLAlchemy {sqlalchemy.__version__}, ", end="")
        print(f"psycopg {psycopg.__version__}, PostgreSQL {server.programs.version} on a socket")
        for name in options.only:
            print()
            FIGURES[name](server, quick=options.quick)


if __name__ == "__main__":
    main()
