"""The report page: everything that is known of the candidate, in one file that opens from disk."""
