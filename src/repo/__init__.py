"""Git and DVC, asked here and nowhere else."""
