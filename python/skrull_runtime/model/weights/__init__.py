"""The weights that a run starts from: rank 0 reads them once, and distributes them parameter by parameter."""
