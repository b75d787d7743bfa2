"""Low-rank adapters of peft: which matrices of a model have one, and the model with them."""
