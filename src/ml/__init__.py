"""The ensemble and its bundle, by the paths that others import."""
