"""Facts of a statement, by parsing: tables, terms by class, joins, order, limit, what is written."""
