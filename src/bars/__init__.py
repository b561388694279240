"""The contract that bars keep, and what is known of their quality."""
