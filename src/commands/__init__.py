"""The commands, by theme: plain functions that `src.cli` puts on the command line."""
