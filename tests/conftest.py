"""Shared fixtures of the test suite."""

pytest_plugins = ["pytester"]

# projects of their own, which tests/test_scenarios.py runs
collect_ignore = ["scenarios"]
