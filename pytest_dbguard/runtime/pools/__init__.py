"""Pools that hold what they promise: bounded checks, monotonic lifetimes, load shedding, leaks told, exact figures."""
