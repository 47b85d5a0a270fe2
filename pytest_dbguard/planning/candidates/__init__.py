"""Index candidates: what a statement could use, and what serves it already."""
