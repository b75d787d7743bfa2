"""Causal attention of one packed segment after another, on what the machine offers."""
