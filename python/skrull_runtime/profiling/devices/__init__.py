"""What a rank's device reaches by itself, outside of training steps: matrix products, memory, and the link to the host."""
