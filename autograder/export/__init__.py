"""What a Report becomes. Each module is a function of a Report and nothing else."""
