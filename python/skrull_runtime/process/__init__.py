"""What the ranks of a run agree on, and the process of a rank: its arguments, its lock, and the request to stop."""
