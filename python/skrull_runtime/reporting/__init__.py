"""What a run writes of itself: metrics, and trackers beside them."""
