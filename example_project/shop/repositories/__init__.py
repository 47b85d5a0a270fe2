"""Questions to the database, one file for each part of the shop."""
