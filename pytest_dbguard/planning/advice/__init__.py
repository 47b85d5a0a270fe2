"""The smallest set of indexes for a whole workload."""
