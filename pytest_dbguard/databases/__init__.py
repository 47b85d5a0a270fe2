"""Where a test's database comes from."""
