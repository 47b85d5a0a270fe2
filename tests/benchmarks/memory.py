"""Memory of the process after many statements of 200 shapes: in one test, and over tests of 1 000 statements each."""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from application import make_application

SHAPES = 200
STATEMENTS_A_TEST = 1_000
CHECKPOINTS = (1_000, 10_000, 100_000, 1_000_000)


def resident_kib() -> int:
    """Return the resident set size now, not its peak."""
    gc.collect()
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def select_shape(connection: Any, number: int) -> None:
    """Run one of 200 statements that differ in text."""
    from sqlalchemy import text

    number %= SHAPES
    connection.execute(text(f"SELECT id, name AS name_{number} FROM customer WHERE id = :key"), {"key": number}).all()


def run(kind: str, statements: int) -> None:
    """Run statements below five frames of an application; print the memory at each checkpoint."""
    from pytest_dbguard.analysis.judge import Judge, active_rules
    from pytest_dbguard.recording.listeners import Listeners
    from pytest_dbguard.recording.ownership import Ownership
    from pytest_dbguard.recording.recorder import Recorder
    from pytest_dbguard.recording.scopes import Scope

    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        test, _, models = make_application(root)
        engine = models.make_engine()
        judge = Judge(active_rules())
        recorder = Recorder(Ownership(root))
        listeners = Listeners(recorder)
        if kind != "plain":
            listeners.attach()
        scope, done = Scope("test", "call"), 0
        recorder.open(scope, test.test_many.__code__)
        with engine.connect() as connection:
            for checkpoint in (point for point in CHECKPOINTS if point <= statements):
                while done < checkpoint:
                    if kind == "tests":
                        for recording in scope.recordings():
                            list(judge.judge(recording))
                        scope = Scope(f"test_{done}", "call")
                        recorder.open(scope, test.test_many.__code__)
                    keys = range(done, done + STATEMENTS_A_TEST)
                    test.test_many(select_shape, ((key, connection) for key in keys))
                    done += STATEMENTS_A_TEST
                print(f"{done} {resident_kib()}")
        listeners.detach()


def main() -> None:
    """Measure each kind in a process of its own and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", type=int, default=CHECKPOINTS[-1], help="how far to go (default 1 000 000)")
    parser.add_argument("--kind", choices=("plain", "one", "tests"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.kind:
        run(options.kind, options.statements)
        return
    titles = {"plain": "not recorded", "one": "recorded in one test", "tests": "recorded and judged, 1 000 a test"}
    print(f"| resident MiB after statements of {SHAPES} shapes | ", end="")
    print(" | ".join(f"{point:,}" for point in CHECKPOINTS if point <= options.statements), "|")
    print("|---|" + "---:|" * sum(point <= options.statements for point in CHECKPOINTS))
    for kind, title in titles.items():
        command = [sys.executable, __file__, "--kind", kind, "--statements", str(options.statements)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        cells = [f"{int(line.split()[1]) / 1024:.1f}" for line in output.splitlines()]
        print(f"| {title} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
