"""The members of the ensemble, one file each, and the list of them."""
