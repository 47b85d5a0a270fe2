"""The pytest side: options, hooks, fixtures."""
