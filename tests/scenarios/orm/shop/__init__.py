"""A shop's back office, as its team wrote it: right in some places and wasteful in others."""
