"""The `dbguard` command."""
