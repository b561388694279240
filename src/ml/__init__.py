"""Splits, members, the ensemble and its bundle."""
