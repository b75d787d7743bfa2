"""The weights that a run starts from: read once, by rank 0, and handed to every rank parameter by parameter."""
