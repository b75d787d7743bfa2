"""What a run leaves and goes on from."""
