"""The shop: an application as teams write them, some of whose functions waste round trips."""
