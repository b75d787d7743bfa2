"""Causal attention over packed segments, with the kernels that the machine offers."""
