"""What is wrong with this repository, finding by finding, each with the command that repairs it."""
