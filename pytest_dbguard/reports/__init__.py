"""Reports: one file a format, all made from one verdict."""
