"""From bars to a gated signal model, in one straight line."""
