"""Bars: where they come from, what is wrong with them, and the contract they keep."""
