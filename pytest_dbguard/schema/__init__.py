"""The catalog: which tables, columns, keys and indexes a database has."""
