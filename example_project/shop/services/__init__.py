"""What the shop does: each file one use of it."""
