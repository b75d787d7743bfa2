"""The model under packed, context-parallel attention, and its loss."""
