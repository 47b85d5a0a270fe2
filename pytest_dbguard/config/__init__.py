"""Configuration: `[tool.dbguard]`, ini keys, environment variables and flags become one validated value."""
