"""Recall and precision: run a directory of scenarios with known answers for this plugin and for other tools."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

EPILOG = """\
The directory holds a score.py with the commands `run ADAPTER --python PYTHON [--url URL] --out FILE` and
`report FILE ...`. Each tool wants an environment of its own, named as ADAPTER=PYTHON:

    scenarios.py DIRECTORY dbguard=.venv/bin/python queryspy=other/bin/python --url postgresql+psycopg://...
"""


def run_tool(directory: Path, adapter: str, python: Path, url: str, folder: Path) -> Path | None:
    """Run one tool over the scenarios on one database; return the file of its findings, None where it failed."""
    out = folder / f"{adapter}-{url.partition(':')[0].partition('+')[0]}.json"
    command = [sys.executable, "score.py", "run", adapter, "--python", str(python), "--url", url, "--out", str(out)]
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    lines = (result.stdout + result.stderr).splitlines()
    print(f"{adapter}: {lines[-1] if lines else 'no output'}", file=sys.stderr)
    if result.returncode != 0:
        return None
    # no finding is a result only when the scenarios ran
    tail = json.loads(out.read_text())["stderr_tail"]
    if not re.search(r"\d+ (passed|failed)", tail):
        print(f"{adapter}: no scenario ran: {tail}", file=sys.stderr)
        return None
    return out


def main() -> None:
    """Run the tools one after the other and print the scorer's table."""
    description = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=description)
    parser.add_argument("directory", type=Path, help="the scenarios, with score.py")
    parser.add_argument("tools", nargs="+", metavar="ADAPTER=PYTHON", help="what to run, and with which interpreter")
    parser.add_argument("--url", action="append", default=[], help="a database besides SQLite (repeatable)")
    parser.add_argument("--misses", action="store_true", help="name what was missed and what was false")
    parser.add_argument("--out", type=Path, help="keep the findings in this directory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.out or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for url in ("sqlite", *options.url):
            for tool in options.tools:
                adapter, _, python = tool.partition("=")
                # absolute but not resolved: a virtual environment's python is a link
                files.append(run_tool(options.directory, adapter, Path(python).absolute(), url, folder))
        done = [str(file) for file in files if file is not None]
        command = [sys.executable, "score.py", "report", *done, *(["--misses"] if options.misses else [])]
        sys.stdout.flush()
        subprocess.run(command, cwd=options.directory, check=True)
        if None in files:
            sys.exit("not every tool could be run, see above")


if __name__ == "__main__":
    main()
