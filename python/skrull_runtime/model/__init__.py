"""The model with packed, context-parallel attention, and its loss."""
