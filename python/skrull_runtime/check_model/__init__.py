"""Whether a model can be trained exactly: told by what it does, on a small copy with random weights."""
