"""The committed file of accepted findings."""
