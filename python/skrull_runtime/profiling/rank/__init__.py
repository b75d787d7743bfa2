"""What a rank measures of its device and its node, with the run's own model and optimizer."""
