"""What the text of one statement shows of how it is written, each kind in a file of its own."""
