"""How a test gets clean data."""
