"""Stands in for flash-linear-attention, on CPUs."""
