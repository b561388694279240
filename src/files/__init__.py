"""A person's file of bars: what lies in it, which column is what, and what is wrong with it or doubtful."""
