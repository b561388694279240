"""Where bars come from: a file or an exchange."""
