"""pytest-dbguard: fail the build on N+1 loads and statements in loops, for SQLAlchemy."""
