"""What `dbguard doctor` looks at: one file a subject, listed in `pytest_dbguard.cli.doctor`."""
