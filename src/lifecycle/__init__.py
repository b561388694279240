"""What happens to a candidate after it was evaluated."""
