"""What families of models do differently around their layers."""
