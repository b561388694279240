"""Whether a candidate may go into production: rules, comparison with the champion, trials."""
