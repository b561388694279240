"""Watching the model at work: its log against what happened, its input against its training, and telling people."""
