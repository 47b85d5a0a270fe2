"""A shop whose tables only its migrations make."""
