"""`python -m pytest_dbguard` does what `dbguard` does."""

from __future__ import annotations

from pytest_dbguard.cli import main

if __name__ == "__main__":
    main()
