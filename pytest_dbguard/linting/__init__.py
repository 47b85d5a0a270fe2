"""The linter of sources: statements found in files, judged without running any of them."""
