"""The twelve features and the label."""
