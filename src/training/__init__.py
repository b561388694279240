"""Members, walk-forward splits, fits, and the graph that is exported of them."""
