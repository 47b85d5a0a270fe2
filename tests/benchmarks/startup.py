"""Start-up: CPU time that the plugin adds to `pytest` on an empty suite, off and on."""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from statistics import median

RUNS = {
    "without the plugin": ["-p", "no:dbguard"],
    "installed, not asked for": [],
    "with --dbguard": ["--dbguard"],
}


def cpu_ms(arguments: list[str], directory: str, python: str) -> float:
    """Run pytest once on an empty directory and return its CPU time, user and system, in ms."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # no other plugin: what differs between the runs is this one alone
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    plugin = [] if "no:dbguard" in arguments else ["-p", "pytest_dbguard.plugin"]
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, *arguments]
    result = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode != 5:
        sys.exit(f"{' '.join(command)} ended with {result.returncode}:\n{result.stdout}{result.stderr}")
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Alternate the runs, so that a slow minute of the machine slows all of them, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="runs of each kind (default 15)")
    parser.add_argument("--python", default=sys.executable, help="interpreter to measure (default: this one)")
    options = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in RUNS}
    with tempfile.TemporaryDirectory() as directory:
        for run in range(options.runs + 1):
            for name, arguments in RUNS.items():
                elapsed = cpu_ms(arguments, directory, options.python)
                if run:  # the first round only writes bytecode
                    times[name].append(elapsed)
    base = times["without the plugin"]
    print("| pytest on an empty suite | CPU ms, median | added, median of pairs | added, minima |")
    print("|---|---:|---:|---:|")
    for name, values in times.items():
        added = median(mine - plain for mine, plain in zip(values, base, strict=True))
        print(f"| {name} | {median(values):.0f} | {added:+.0f} | {min(values) - min(base):+.0f} |")


if __name__ == "__main__":
    main()
