"""Plans at production size: statistics, the lab, what indexes would change."""
