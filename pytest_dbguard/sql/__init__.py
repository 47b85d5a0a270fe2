"""Statement text: shapes without literals, and facts of them."""
