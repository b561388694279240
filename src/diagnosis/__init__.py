"""What is wrong with this repository, line by line, each with the command that mends it."""
