"""What the ranks of a run agree on, and the process of one: its arguments, its lock, the request to stop."""
